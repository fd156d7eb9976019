import { hostname } from "node:os";
import { basename, dirname } from "node:path";
import { ConfigError } from "../errors.ts";
import { type IniEntry, type IniFile, readIniFile } from "./ini-reader.ts";
import {
  InterpolationError,
  type InterpolationSyntax,
  interpolate,
  type ReferencedValue,
  referencedKeys,
} from "./interpolation.ts";

/** What a section is read for. */
export interface SourceOptions {
  readonly section: string;
  readonly sectionAliases: readonly string[];
  /** `--set` values, lower-case keys; they win over the file */
  readonly overrides: ReadonlyMap<string, string>;
  /** defaults of declared keys, at the very bottom */
  readonly defaults: ReadonlyMap<string, string>;
}

/** One state of a configuration file, seen from one section: never changes, a reload makes a new one.
 * Precedence: overrides, section, DEFAULT, implicit keys, declared defaults.
 * Source: spec/framework.md 1.1, 1.3, 1.4 */
export class ConfigSource {
  readonly ini: IniFile;
  /** name under which the section stands in the file */
  readonly section: string;
  /** what it is called today */
  readonly properSection: string;
  readonly syntax: InterpolationSyntax;
  readonly #options: SourceOptions;
  readonly #entries: ReadonlyMap<string, IniEntry>;
  readonly #implicit: ReadonlyMap<string, string>;

  /** @throws ConfigError */
  constructor(ini: IniFile, options: SourceOptions) {
    this.ini = ini;
    this.#options = options;
    this.section = presentSection(ini, options);
    this.properSection = options.section;
    this.#entries = ini.sections.get(this.section) ?? new Map();
    this.#implicit = implicitKeys(ini.file, options.section);
    this.syntax = this.#chooseSyntax();
  }

  /** @throws ConfigError */
  static read(file: string, options: SourceOptions): ConfigSource {
    return new ConfigSource(readIniFile(file), options);
  }

  /** Line of a key, or undefined when it does not come from the file. */
  line(key: string): number | undefined {
    return this.#options.overrides.has(key) ? undefined : this.#entry(key)?.line;
  }

  isOverride(key: string): boolean {
    return this.#options.overrides.has(key);
  }

  /** True when something gives the key a value; declared defaults do not count. */
  isSet(key: string): boolean {
    return this.isOverride(key) || this.#entry(key) !== undefined || this.#implicit.has(key);
  }

  /** The interpolated value, or undefined when neither set nor defaulted. @throws ConfigError */
  value(key: string): string | undefined {
    const found = this.#find(key);
    if (found === undefined || found.isLiteral) return found?.text;
    try {
      return interpolate(found.text, this.syntax, this.section, (section, name) =>
        this.#lookup(section, name),
      );
    } catch (cause) {
      if (!(cause instanceof InterpolationError)) throw cause;
      throw this.error(key, cause.message);
    }
  }

  /** Keys of the section itself and of the overrides. */
  keys(): string[] {
    return [...new Set([...this.#options.overrides.keys(), ...this.#entries.keys()])];
  }

  /** Keys that other values of the section refer to. */
  referencedKeys(): Set<string> {
    const texts = [...this.#entries.values(), ...this.ini.defaults.values()].map((entry) => entry.value);
    const all = [...texts, ...this.#options.overrides.values()];
    return new Set(all.flatMap((text) => referencedKeys(text, this.syntax)));
  }

  /** An error that names the place of a key. */
  error(key: string, message: string, hint?: string): ConfigError {
    const origin = this.isOverride(key) ? " (given with --set)" : "";
    const { file } = this.ini;
    return new ConfigError(`${message}${origin}`, {
      file,
      section: this.section,
      key,
      line: this.line(key),
      hint,
    });
  }

  #entry(key: string): IniEntry | undefined {
    return this.#entries.get(key) ?? this.ini.defaults.get(key);
  }

  #find(key: string): ReferencedValue | undefined {
    const inFile = (text: string) => ({ text, isLiteral: false, section: this.section });
    const literal = (text: string) => ({ text, isLiteral: true, section: this.section });
    const override = this.#options.overrides.get(key);
    if (override !== undefined) return inFile(override);
    const entry = this.#entry(key);
    if (entry !== undefined) return inFile(entry.value);
    const fallback = this.#implicit.get(key) ?? this.#options.defaults.get(key);
    return fallback === undefined ? undefined : literal(fallback);
  }

  #lookup(section: string, key: string): ReferencedValue | undefined {
    if (section === this.section || section === this.#options.section) return this.#find(key);
    const entries = section === "DEFAULT" ? this.ini.defaults : this.ini.sections.get(section);
    const entry = entries?.get(key) ?? (entries && this.ini.defaults.get(key));
    return entry && { text: entry.value, isLiteral: false, section };
  }

  #chooseSyntax(): InterpolationSyntax {
    const format = this.#options.overrides.get("config_format") ?? this.#entry("config_format")?.value ?? "1";
    if (format === "1") return "basic";
    if (format === "2") return "extended";
    throw this.error("config_format", `unsupported config format "${format}"`, "Known formats are 1 and 2.");
  }
}

function presentSection(ini: IniFile, { section, sectionAliases }: SourceOptions): string {
  const names = [section, ...sectionAliases];
  const present = names.find((name) => ini.sections.has(name));
  if (present !== undefined || ini.file === "") return present ?? section;
  const others = [...ini.sections.keys()].map((name) => `[${name}]`).join(", ");
  throw new ConfigError(`no section [${names.join("] or [")}]`, {
    file: ini.file,
    section,
    hint: others === "" ? "The file has no section at all." : `The file has ${others}.`,
  });
}

function implicitKeys(file: string, section: string): Map<string, string> {
  const directory = file.includes("/") ? dirname(file) : "";
  return new Map([
    ["job_name", file === "" ? section : basename(file).replace(/(?<=.)\.[^.]*$/, "")],
    ["service_name", section],
    ["host_name", hostname()],
    ...(file === ""
      ? []
      : ([
          ["config_dir", directory],
          ["config_file", file],
        ] as const)),
  ]);
}
