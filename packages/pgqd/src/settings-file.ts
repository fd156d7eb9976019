import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { ConfigError } from "@skytools/skytools";

/** One assignment and where it stands. */
export interface Assignment {
  readonly key: string;
  readonly value: string;
  readonly file: string;
  readonly line: number;
}

const sectionName = "pgqd";
const deepestInclude = 10;
/** Files that include others more than once would be read for ever. */
const mostLines = 10_000;

/** Reads a file of this program's own strict dialect: one section, `key = value` to the end of the line, comments only on
 * lines of their own, `%include FILE`, nothing interpolated.
 * @throws ConfigError naming file and line
 * Source: spec/pgq-library.md B2 */
export function readSettingsFile(file: string): Assignment[] {
  const state = { assignments: [] as Assignment[], isInSection: false, lines: 0 };
  readInto(state, file, 0);
  if (!state.isInSection) throw new ConfigError(`section [${sectionName}] is missing`, { file });
  return state.assignments;
}

interface ReaderState {
  readonly assignments: Assignment[];
  isInSection: boolean;
  /** of all files, those that say something */
  lines: number;
}

function readInto(state: ReaderState, file: string, depth: number): void {
  const lines = fileText(file).split(/\r?\n/);
  for (const [index, raw] of lines.entries()) {
    const text = raw.trim();
    const line = index + 1;
    if (text === "" || text.startsWith("#") || text.startsWith(";")) continue;
    state.lines += 1;
    if (state.lines > mostLines)
      throw new ConfigError("the files that are included have no end", { file, line });
    const include = /^%include\s+(.+)$/.exec(text);
    if (include !== null) {
      if (depth >= deepestInclude) {
        throw new ConfigError(`%include nested deeper than ${deepestInclude} files`, { file, line });
      }
      const path = include[1]!;
      readInto(state, isAbsolute(path) ? path : join(dirname(file), path), depth + 1);
    } else {
      readLine(state, text, file, line);
    }
  }
}

function readLine(state: ReaderState, text: string, file: string, line: number): void {
  if (text.includes("\uFFFD")) throw new ConfigError("the line is not valid UTF-8", { file, line });
  const section = /^\[(.*)\]$/.exec(text);
  if (section !== null) {
    if (section[1] !== sectionName) {
      throw new ConfigError(`unknown section [${section[1]}], only [${sectionName}] is allowed`, {
        file,
        line,
      });
    }
    state.isInSection = true;
    return;
  }
  const equals = text.indexOf("=");
  if (equals < 1) throw new ConfigError(`"${text}" is not of the form key = value`, { file, line });
  if (!state.isInSection) {
    throw new ConfigError(`a value stands before section [${sectionName}]`, { file, line });
  }
  const key = text.slice(0, equals).trim();
  state.assignments.push({ key, value: text.slice(equals + 1).trim(), file, line });
}

function fileText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
    throw new ConfigError(`cannot read the file (${reason})`, { file, cause });
  }
}
