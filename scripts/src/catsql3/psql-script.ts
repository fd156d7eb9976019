import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, relative, resolve } from "node:path";
import { expandHome, SkytoolsError, StatementScanner } from "@skytools/skytools";

/** The lines of scripts as psql would send them: `\i` and `\ir` are followed, `\cd` is obeyed, `\q` ends everything, other
 * backslash commands are left out. A blank line stands before and after each file.
 * @param directory what relative names are relative to at first
 * @throws SkytoolsError SQL_FILE for a file that cannot be read or that includes itself, naming who asked for it */
export function flattenScripts(files: readonly string[], directory: string): string[] {
  const reader = new ScriptReader(directory);
  for (const file of files) {
    reader.include(resolve(directory, file), file);
    if (reader.hasQuit) break;
  }
  return reader.lines;
}

class ScriptReader {
  readonly lines: string[] = [];
  hasQuit = false;
  #directory: string;
  readonly #open: string[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @param origin how the file was asked for, for messages */
  include(path: string, origin: string): void {
    if (this.#open.includes(path)) throw fileError(`${origin}: ${path} includes itself`);
    this.#open.push(path);
    this.lines.push("");
    let isCopyData = false;
    const scanner = new StatementScanner();
    for (const [index, line] of readLines(path, origin).entries()) {
      if (this.hasQuit) break;
      const isCommand = !isCopyData && /^\s*\\/.test(line) && !isQuoted(scanner);
      if (isCommand) this.#obey(line.trim(), path, `${shown(path)}:${index + 1}`);
      else {
        this.lines.push(line);
        if (!isCopyData) scanner.add(`${line}\n`);
      }
      isCopyData = isCopyData ? line !== "\\." : /^\s*copy\s[^;]*\sfrom\s+stdin\b[^;]*;\s*$/i.test(line);
    }
    this.lines.push("");
    this.#open.pop();
  }

  #obey(line: string, path: string, place: string): void {
    const [, command, rest] = /^\\(\w*)\s*(.*)$/.exec(line) ?? [];
    if (command === "q" || command === "quit") {
      this.hasQuit = true;
      return;
    }
    const name = fileName(rest ?? "");
    if (command === "cd") {
      this.#directory = name === "" ? homedir() : resolve(this.#directory, expandHome(name));
      return;
    }
    const base = includeBase(command, this.#directory, path);
    if (base === undefined) return;
    if (name === "") throw fileError(`${place}: \\${command} names no file`);
    this.include(resolve(base, expandHome(name)), place);
  }
}

/** Within a body, a quoted text or a comment a backslash begins no command. */
function isQuoted({ open }: StatementScanner): boolean {
  return open !== undefined && open !== "statement" && open !== "parenthesis";
}

/** The directory that an including command starts from; undefined for other commands. */
function includeBase(command: string | undefined, directory: string, path: string): string | undefined {
  if (command === "i" || command === "include") return directory;
  return command === "ir" || command === "include_relative" ? dirname(path) : undefined;
}

/** The first word after a command, quoted or not. */
function fileName(text: string): string {
  const [, quoted, plain] = /^(?:'((?:[^']|'')*)'|(\S+))/.exec(text) ?? [];
  return quoted?.replaceAll("''", "'") ?? plain?.replace(/;$/, "") ?? "";
}

function readLines(path: string, origin: string): string[] {
  let text: string;
  try {
    // Fatal: what could not be read would be written damaged.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    const reason = code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8" : code;
    throw fileError(`${origin}: cannot read ${path} (${reason})`, cause);
  }
  return text
    .replace(/^\uFEFF/, "")
    .replace(/\r?\n$/, "")
    .split(/\r?\n/);
}

function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}

function fileError(message: string, cause?: unknown): SkytoolsError {
  return new SkytoolsError("SQL_FILE", message, { cause });
}
