import { readFileSync } from "node:fs";
import { ConfigError } from "../errors.ts";

/** One key as it stands in the file; the value is not interpolated. */
export interface IniEntry {
  readonly value: string;
  /** line of the key, counted from 1 */
  readonly line: number;
}

export type IniSection = ReadonlyMap<string, IniEntry>;

export interface IniFile {
  readonly file: string;
  /** without DEFAULT, in the order of the file */
  readonly sections: ReadonlyMap<string, IniSection>;
  /** the section DEFAULT: fallback of every other section */
  readonly defaults: IniSection;
}

/** Reads a file of the dialect of Python's ConfigParser.
 * @throws ConfigError naming file and line, with the system's error as cause when the file cannot be read
 * Source: spec/framework.md 1.2 */
export function readIniFile(file: string): IniFile {
  return parseIni(fileText(file), file);
}

/** As {@link readIniFile}, from text; `file` is only for messages. */
export function parseIni(text: string, file: string): IniFile {
  const parser = new IniParser(file);
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  for (const [index, line] of lines.entries()) parser.take(line, index + 1);
  return parser.finish();
}

interface OpenEntry {
  readonly line: number;
  readonly valueLines: string[];
}

type OpenSection = Map<string, OpenEntry>;

class IniParser {
  readonly #file: string;
  readonly #defaults: OpenSection = new Map();
  readonly #sections = new Map<string, OpenSection>();
  #section: OpenSection | undefined;
  #sectionName = "";
  #entry: OpenEntry | undefined;
  #indent = 0;

  constructor(file: string) {
    this.#file = file;
  }

  take(line: string, number: number): void {
    if (line.includes("\0")) throw this.#error("the line has a zero byte in it", number);
    const text = line.trim();
    if (text.startsWith("#") || text.startsWith(";")) return;
    if (text === "") {
      this.#entry?.valueLines.push("");
      return;
    }
    const indent = line.length - line.trimStart().length;
    if (this.#entry !== undefined && indent > this.#indent) {
      this.#entry.valueLines.push(text);
      return;
    }
    this.#indent = indent;
    const header = /^\[(.+)\]/.exec(text);
    if (header !== null) this.#openSection(header[1]!, number);
    else this.#openEntry(text, number);
  }

  finish(): IniFile {
    const sections = [...this.#sections].map(([name, section]) => [name, closed(section)] as const);
    return { file: this.#file, sections: new Map(sections), defaults: closed(this.#defaults) };
  }

  #openSection(name: string, line: number): void {
    this.#entry = undefined;
    this.#sectionName = name;
    if (name === "DEFAULT") {
      this.#section = this.#defaults;
      return;
    }
    if (this.#sections.has(name)) throw this.#error(`section [${name}] appears twice`, line);
    this.#section = new Map();
    this.#sections.set(name, this.#section);
  }

  #openEntry(text: string, line: number): void {
    if (this.#section === undefined) {
      throw this.#error("a value stands before the first [section]", line);
    }
    const delimiter = text.search(/[=:]/);
    if (delimiter < 0) {
      throw this.#error("the line is neither a [section] nor of the form key = value", line, {
        hint: "Lines that continue a value must be indented deeper than its key.",
      });
    }
    const key = text.slice(0, delimiter).trim().toLowerCase();
    if (key === "") throw this.#error("a key is missing before the delimiter", line);
    const earlier = this.#section.get(key);
    if (earlier !== undefined) {
      throw this.#error(`is set twice, first on line ${earlier.line}`, line, {
        section: this.#sectionName,
        key,
      });
    }
    this.#entry = { line, valueLines: [text.slice(delimiter + 1).trim()] };
    this.#section.set(key, this.#entry);
  }

  #error(message: string, line: number, more: { hint?: string; section?: string; key?: string } = {}) {
    return new ConfigError(message, { file: this.#file, line, ...more });
  }
}

function closed(section: OpenSection): IniSection {
  const entries = [...section].map(
    ([key, { line, valueLines }]) => [key, { line, value: valueLines.join("\n").trimEnd() }] as const,
  );
  return new Map(entries);
}

function fileText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new ConfigError(
      code === "ENOENT" ? `Config file not found: ${file}` : `cannot read ${file} (${code})`,
      {
        cause,
      },
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigError("the file is not valid UTF-8", { file, line: firstBadLine(bytes), cause });
  }
}

function firstBadLine(bytes: Buffer): number {
  const lines = bytes.toString("utf8").split("\n");
  return 1 + lines.findIndex((line) => line.includes("\uFFFD"));
}
