import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** What the end of a log file tells. */
export interface LogFindings {
  /** the last line of level ERROR or worse, with its time */
  readonly lastError: string | undefined;
  /** the job has said nothing better since */
  readonly isFailing: boolean;
}

const tailBytes = 256 * 1024;
const errorLine = /^.*\b(?:ERROR|CRITICAL|FATAL)\b.*$/;
const goodText = /^INFO (?:\{.*\}$|.*\bworks again$|started$|Starting\b)/;

/** Reads the last part of a log file; undefined when there is none, or it cannot be read. */
export function readLog(path: string | undefined): LogFindings | undefined {
  const text = path === undefined ? undefined : tailOf(path);
  if (text === undefined) return undefined;
  const lines = text.split("\n");
  const lastError = lines.findLastIndex((line) => errorLine.test(line));
  const lastGood = lines.findLastIndex((line) => isGood(line));
  return { lastError: lines[lastError], isFailing: lastError > lastGood };
}

function tailOf(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, tailBytes));
    const length = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, length).toString("utf8");
  } finally {
    closeSync(descriptor);
  }
}

/** What follows the level counts, not what else a message says. */
function isGood(line: string): boolean {
  const level = line.search(/\bINFO /);
  return level >= 0 && goodText.test(line.slice(level));
}
