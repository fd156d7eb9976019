import { expandHome } from "./home-directory.ts";

/** A text is not of the type that was asked for; the message completes a sentence that begins with the key. */
export class ValueError extends Error {}

/** Whole number in Python syntax. @throws ValueError, also beyond 2^53 */
export function parseInteger(text: string): number {
  const trimmed = text.trim();
  const value = Number(trimmed.replaceAll("_", ""));
  if (!/^[+-]?\d+(_\d+)*$/.test(trimmed) || !Number.isSafeInteger(value)) {
    throw new ValueError(`"${text}" is not a whole number`);
  }
  return value;
}

/** Finite number in Python syntax. @throws ValueError */
export function parseFloatText(text: string): number {
  const trimmed = text.trim();
  const value = Number(trimmed.replaceAll("_", ""));
  const isNumber = /^[+-]?(\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(e[+-]?\d+)?$/i.test(trimmed);
  if (!isNumber || !Number.isFinite(value)) throw new ValueError(`"${text}" is not a number`);
  return value;
}

const truths = new Map([
  ...["1", "yes", "true", "on"].map((word) => [word, true] as const),
  ...["0", "no", "false", "off"].map((word) => [word, false] as const),
]);

/** @throws ValueError */
export function parseBoolean(text: string): boolean {
  const value = truths.get(text.trim().toLowerCase());
  if (value === undefined) {
    throw new ValueError(`"${text}" is not a boolean (1, yes, true, on, 0, no, false, off)`);
  }
  return value;
}

/** Comma separated; items are stripped, empty ones kept. An empty text is an empty list. */
export function parseList(text: string): string[] {
  return text.trim() === "" ? [] : text.split(",").map((item) => item.trim());
}

/** Comma separated `key: value`; an item without a colon stands for itself. */
export function parseDict(text: string): Map<string, string> {
  const pairs = parseList(text).map((item) => {
    const colon = item.indexOf(":");
    return colon < 0
      ? ([item, item] as const)
      : ([item.slice(0, colon).trim(), item.slice(colon + 1).trim()] as const);
  });
  return new Map(pairs);
}

/** A path with its leading `~` or `~user` expanded; "" and "-" stay. */
export function parseFile(text: string): string {
  return text === "" || text === "-" ? text : expandHome(text);
}

const byteUnits = "KMGTPEZY";

/** `10`, `64k`, `1 GB`: powers of 1024. @throws ValueError, also beyond 2^53 */
export function parseBytes(text: string): number {
  const parts = /^(\d+)\s*([KMGTPEZY])?B?$/i.exec(text.trim());
  const unit = parts?.[2]?.toUpperCase();
  const value = Number(parts?.[1]) * 1024 ** (unit === undefined ? 0 : byteUnits.indexOf(unit) + 1);
  if (!Number.isSafeInteger(value))
    throw new ValueError(`"${text}" is not a size in bytes, such as 512, 64K or 10MB`);
  return value;
}

const intervalUnit =
  "microseconds?|us|usecs?|milliseconds?|ms|msecs?|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|months?|mons?|years?|yrs?|y|decades?|centuries|century|millennia|millennium";
// A number ends where its digits end, and blanks belong to one place: otherwise a long text could be split in more ways than can
// be tried.
const intervalPattern = new RegExp(
  `^@?\\s*(?:(?:[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?![\\d.])(?:\\s*(?:${intervalUnit}))?|[+-]?\\d+:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?(?!\\d))\\s*)+(?:ago)?$|^P(?=\\d|T\\d)[\\dYMWDTHS.:-]+$`,
  "i",
);

/** Interval text as PostgreSQL reads it; it stays text. @throws ValueError */
export function parseInterval(text: string): string {
  const trimmed = text.trim();
  if (!intervalPattern.test(trimmed)) {
    throw new ValueError(`"${text}" is not an interval, such as 30 seconds, 2 hours or 1:30:00`);
  }
  return trimmed;
}
