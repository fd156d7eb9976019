import type { ConfigError } from "../errors.ts";
import { type ConfigFindings, checkConfig, declaredKeys } from "./check-config.ts";
import type { ConfigGroup } from "./config-key.ts";
import { ConfigSource, type SourceOptions } from "./config-source.ts";
import { parseIni } from "./ini-reader.ts";
import {
  parseBoolean,
  parseBytes,
  parseDict,
  parseFile,
  parseFloatText,
  parseInteger,
  parseList,
  ValueError,
} from "./typed-value.ts";

export interface ConfigOptions {
  /** declared keys: their defaults, and what `findings` checks */
  readonly groups?: readonly ConfigGroup[];
  /** other names that the section may have in the file */
  readonly sectionAliases?: readonly string[];
  /** values that win over the file, as from `--set` */
  readonly overrides?: Readonly<Record<string, string>>;
}

/** One section of a configuration file with its values as typed. Keys are case-insensitive. A getter answers with the value
 * of the file, else with the declared default; it throws a ConfigError naming file, section, key and line when there is
 * neither, or when the value is not of the type.
 * Source: spec/framework.md 1.4, 1.5 */
export class Config {
  /** path as given, or "" when there is no file */
  readonly file: string;
  /** the section's proper name, also when the file calls it by an alias */
  readonly section: string;
  readonly #groups: readonly ConfigGroup[];
  readonly #sourceOptions: SourceOptions;
  #source: ConfigSource;

  private constructor(
    section: string,
    options: ConfigOptions,
    read: (options: SourceOptions) => ConfigSource,
  ) {
    this.#groups = options.groups ?? [];
    this.section = section;
    this.#sourceOptions = {
      section,
      sectionAliases: options.sectionAliases ?? [],
      overrides: lowerCased(options.overrides ?? {}),
      defaults: declaredDefaults(this.#groups),
    };
    this.#source = read(this.#sourceOptions);
    this.file = this.#source.ini.file;
  }

  /** Reads a file. Values are not checked yet: see `findings`.
   * @throws ConfigError for a file that is missing, is not of the dialect, or has no such section */
  static load(file: string, section: string, options: ConfigOptions = {}): Config {
    return new Config(section, options, (sourceOptions) => ConfigSource.read(file, sourceOptions));
  }

  /** As `load`, from text; `file` is for messages and for the implicit keys. */
  static parse(
    text: string,
    section: string,
    options: ConfigOptions & { readonly file?: string } = {},
  ): Config {
    const ini = parseIni(text, options.file ?? "");
    return new Config(section, options, (sourceOptions) => new ConfigSource(ini, sourceOptions));
  }

  get(key: string): string {
    const name = key.toLowerCase();
    const value = this.#source.value(name);
    if (value === undefined) throw this.#source.error(name, "required key is not set");
    return value;
  }

  /** The value, else the declared default, else `fallback`. */
  getOr(key: string, fallback: string): string {
    return this.#source.value(key.toLowerCase()) ?? fallback;
  }

  /** The value, else the declared default, else undefined. */
  find(key: string): string | undefined {
    return this.#source.value(key.toLowerCase());
  }

  getInt(key: string): number {
    return this.#typed(key, parseInteger);
  }

  getFloat(key: string): number {
    return this.#typed(key, parseFloatText);
  }

  getBoolean(key: string): boolean {
    return this.#typed(key, parseBoolean);
  }

  getList(key: string): string[] {
    return this.#typed(key, parseList);
  }

  getDict(key: string): Map<string, string> {
    return this.#typed(key, parseDict);
  }

  /** A path; relative ones are relative to the current directory. */
  getFile(key: string): string {
    return this.#typed(key, parseFile);
  }

  getBytes(key: string): number {
    return this.#typed(key, parseBytes);
  }

  /** The most specific of several keys: stars in `pattern` are replaced from left to right by `values`; the key with all
   * replaced is looked up first, the pattern itself last. Undefined when none is set. */
  getWildcard(pattern: string, values: readonly string[]): string | undefined {
    const keys = [pattern.toLowerCase()];
    for (const value of values) keys.push(keys.at(-1)!.replace("*", () => value.toLowerCase()));
    const found = keys.reverse().find((key) => this.#source.isSet(key));
    return found === undefined ? undefined : this.get(found);
  }

  /** True when file, `--set` or an implicit key gives a value; a declared default does not count. */
  has(key: string): boolean {
    return this.#source.isSet(key.toLowerCase());
  }

  /** `file:line` of a key, for messages; only the file when the key does not stand in it. */
  location(key: string): string {
    const line = this.#source.line(key.toLowerCase());
    return line === undefined ? this.file : `${this.file}:${line}`;
  }

  /** A ConfigError about a value, for checks that a type cannot express. */
  error(key: string, message: string, hint?: string): ConfigError {
    return this.#source.error(key.toLowerCase(), message, hint);
  }

  /** Keys of the section and of the overrides, without DEFAULT and implicit ones. */
  keys(): string[] {
    return this.#source.keys();
  }

  /** Sections of the file, without DEFAULT. */
  sections(): string[] {
    return [...this.#source.ini.sections.keys()];
  }

  /** Another section of the same state of the file, without this one's overrides and declarations. */
  openSection(section: string, options: ConfigOptions = {}): Config {
    const { ini } = this.#source;
    return new Config(section, options, (sourceOptions) => new ConfigSource(ini, sourceOptions));
  }

  /** What a check of all declared keys brings to light. */
  findings(): ConfigFindings {
    return checkConfig(this.#source, this.#groups);
  }

  /** Reads the file again and takes the new values if all of them are good.
   * @param furtherFindings as of a program, see `Program.findings`
   * @returns findings of the new file, empty of errors
   * @throws ConfigError when the file is missing or broken; everything stays as it was */
  reload(furtherFindings?: (config: Config) => ConfigFindings): ConfigFindings {
    const old = this.#source;
    const fresh = ConfigSource.read(this.file, this.#sourceOptions);
    const { errors, suspicions } = checkConfig(fresh, this.#groups);
    if (errors[0] !== undefined) throw errors[0];
    this.#source = fresh;
    const further = furtherFindings?.(this);
    if (further?.errors[0] !== undefined) {
      this.#source = old;
      throw further.errors[0];
    }
    return { errors, suspicions: [...suspicions, ...(further?.suspicions ?? [])] };
  }

  #typed<T>(key: string, parse: (text: string) => T): T {
    const text = this.get(key);
    try {
      return parse(text);
    } catch (cause) {
      if (!(cause instanceof ValueError)) throw cause;
      throw this.error(key, cause.message);
    }
  }
}

function lowerCased(values: Readonly<Record<string, string>>): Map<string, string> {
  return new Map(Object.entries(values).map(([key, value]) => [key.toLowerCase(), value]));
}

function declaredDefaults(groups: readonly ConfigGroup[]): Map<string, string> {
  const keys = [...declaredKeys(groups).values()];
  return new Map(keys.flatMap((key) => (key.default === undefined ? [] : [[key.key, key.default] as const])));
}
