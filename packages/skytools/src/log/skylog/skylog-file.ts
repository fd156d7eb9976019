import { existsSync } from "node:fs";
import { expandHome } from "../../config/home-directory.ts";
import { type IniEntry, type IniFile, readIniFile } from "../../config/ini-reader.ts";
import { InterpolationError, interpolate } from "../../config/interpolation.ts";
import { parseList } from "../../config/typed-value.ts";
import { ConfigError } from "../../errors.ts";

/** Values that `%(job_name)s` and `%(service_name)s` stand for. */
export interface SkylogNames {
  readonly jobName: string;
  readonly serviceName: string;
}

/** A skylog.ini as it stands, with errors that name their place. */
export class SkylogFile {
  readonly path: string;
  readonly #ini: IniFile;
  readonly #names: ReadonlyMap<string, string>;

  private constructor(path: string, ini: IniFile, { jobName, serviceName }: SkylogNames) {
    this.path = path;
    this.#ini = ini;
    this.#names = new Map([
      ["job_name", jobName],
      ["service_name", serviceName],
    ]);
  }

  /** Reads the first file that exists.
   * @param locations paths, `~` is expanded
   * @returns undefined when none exists
   * @throws ConfigError */
  static find(locations: readonly string[], names: SkylogNames): SkylogFile | undefined {
    const path = locations.map(expandHome).find((location) => existsSync(location));
    return path === undefined ? undefined : new SkylogFile(path, readIniFile(path), names);
  }

  /** Names listed in `keys` of a section: loggers, handlers or formatters. */
  list(section: string): string[] {
    return parseList(this.required(section, "keys")).filter((name) => name !== "");
  }

  hasSection(section: string): boolean {
    return this.#ini.sections.has(section);
  }

  /** @throws ConfigError when there is no such key */
  required(section: string, key: string): string {
    const value = this.value(section, key);
    if (value === undefined) throw this.error(section, key, "required key is not set");
    return value;
  }

  /** The value with `%(job_name)s` and the like replaced. @throws ConfigError */
  value(section: string, key: string): string | undefined {
    const entry = this.#entry(section, key);
    if (entry === undefined) return undefined;
    try {
      return interpolate(entry.value, "basic", section, (_section, name) => this.#lookup(section, name));
    } catch (cause) {
      if (!(cause instanceof InterpolationError)) throw cause;
      throw this.error(section, key, cause.message);
    }
  }

  /** The value as it stands: formats have percent signs of their own. */
  raw(section: string, key: string): string | undefined {
    return this.#entry(section, key)?.value;
  }

  error(section: string, key: string, message: string, hint?: string): ConfigError {
    return new ConfigError(message, {
      file: this.path,
      section,
      key,
      line: this.#entry(section, key)?.line,
      hint,
    });
  }

  #entry(section: string, key: string): IniEntry | undefined {
    return this.#ini.sections.get(section)?.get(key) ?? this.#ini.defaults.get(key);
  }

  #lookup(section: string, key: string) {
    const text = this.#entry(section, key)?.value;
    if (text !== undefined) return { text, isLiteral: false, section };
    const name = this.#names.get(key);
    return name === undefined ? undefined : { text: name, isLiteral: true, section };
  }
}
