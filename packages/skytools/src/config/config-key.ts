/** How a value is written. `interval` is PostgreSQL interval text, `connstr` a libpq connect string, `file` a path whose
 * leading `~` is expanded, `bytes` a number with a unit such as `10MB`. Times in seconds are `float`. */
export type ConfigType =
  | "string"
  | "int"
  | "float"
  | "boolean"
  | "list"
  | "dict"
  | "file"
  | "bytes"
  | "connstr"
  | "interval"
  | "choice";

/** One key of a program's section: feeds reading, checking, `--ini` and the manual page. */
export interface ConfigKey {
  /** lower case */
  readonly key: string;
  readonly type: ConfigType;
  /** one line, no full stop */
  readonly doc: string;
  /** value when the key is absent, written as in a file; without one the key is simply unset */
  readonly default?: string;
  /** absent or empty is an error before anything else happens */
  readonly required?: boolean;
  /** the values of a `choice` */
  readonly choices?: readonly string[];
  /** smallest and largest number, both inclusive */
  readonly min?: number;
  readonly max?: number;
  /** how `--ini` shows it: as a live line (the default of a required key), commented out (otherwise), or not at all */
  readonly template?: "live" | "commented" | "hidden";
  /** value that `--ini` shows in place of the default */
  readonly example?: string;
}

/** Keys that belong together, shown under one heading by `--ini`. */
export interface ConfigGroup {
  /** ends the heading "Parameters for ..." */
  readonly title: string;
  readonly keys: readonly ConfigKey[];
  /** further key names that are accepted without a warning */
  readonly openKeys?: RegExp;
  /** type of their values, default string */
  readonly openType?: ConfigType;
}
