import { classicTimestamp, formatDate } from "./date-format.ts";
import { type LogOrigin, type LogRecord, levelNames } from "./record.ts";

/** Makes the line of a record, without line end. */
export type LineFormat = (record: LogRecord, origin: LogOrigin) => string;

/** A log format cannot be understood; the message completes a sentence that begins with the key. */
export class LineFormatError extends Error {}

type Field = (record: LogRecord, origin: LogOrigin, dateFormat: string) => string | number;

const fields: ReadonlyMap<string, Field> = new Map(
  Object.entries<Field>({
    asctime: ({ time }, _origin, dateFormat) =>
      dateFormat === "" ? classicTimestamp(time) : formatDate(time, dateFormat),
    created: ({ time }) => time.getTime() / 1000,
    msecs: ({ time }) => time.getMilliseconds(),
    levelname: ({ level }) => levelNames[level].name,
    levelno: ({ level }) => levelNames[level].number,
    message: ({ text }) => text,
    name: (_record, { jobName }) => jobName,
    process: (_record, { pid }) => pid,
    job_name: (_record, { jobName }) => jobName,
    service_name: (_record, { serviceName }) => serviceName,
    hostname: (_record, { hostName }) => hostName,
    hostaddr: (_record, { hostAddress }) => hostAddress,
  }),
);

/** of a width, and of a precision: more digits are none of a number */
const longestWidth = 10_000;
const longestPrecision = 100;

/** Reads a format of Python's logging, such as `%(asctime)s %(levelname)-8s %(message)s`.
 * @param dateFormat strftime text for `asctime`; empty: `YYYY-MM-DD HH:MM:SS,mmm`
 * @throws LineFormatError
 * Source: spec/framework.md 6.2 */
export function parseLineFormat(format: string, dateFormat: string): LineFormat {
  const parts = [...format.matchAll(/%%|%\((\w+)\)([-0 +]*)(\d*)(?:\.(\d+))?([sdif])|%|[^%]+/g)].map(
    (match) => {
      const [text, name, flags = "", width = "", precision, conversion] = match;
      if (text === "%%") return () => "%";
      if (text === "%")
        throw new LineFormatError(`has a "%" that belongs to no placeholder such as %(message)s`);
      if (name === undefined) return () => text;
      const field = fields.get(name);
      if (field === undefined) {
        throw new LineFormatError(
          `has the unknown placeholder "${name}"; known are ${[...fields.keys()].join(", ")}`,
        );
      }
      if (Number(width) > longestWidth || (conversion === "f" && Number(precision) > longestPrecision))
        throw new LineFormatError(`has ${text}, which is too wide`);
      const shape = { flags, width: Number(width), precision, conversion: conversion! };
      return (record: LogRecord, origin: LogOrigin) => shaped(field(record, origin, dateFormat), shape);
    },
  );
  return (record, origin) => parts.map((part) => part(record, origin)).join("");
}

interface Shape {
  readonly flags: string;
  readonly width: number;
  readonly precision: string | undefined;
  readonly conversion: string;
}

function shaped(value: string | number, { flags, width, precision, conversion }: Shape): string {
  const text = converted(value, precision, conversion);
  if (flags.includes("-")) return text.padEnd(width);
  return text.padStart(width, flags.includes("0") && typeof value === "number" ? "0" : " ");
}

function converted(value: string | number, precision: string | undefined, conversion: string): string {
  if (conversion === "f") return Number(value).toFixed(Number(precision ?? 6));
  if (conversion === "d" || conversion === "i") return String(Math.trunc(Number(value)));
  return precision === undefined ? String(value) : String(value).slice(0, Number(precision));
}
