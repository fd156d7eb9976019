import { WalError } from "../wal/wal-error.ts";

/** The items of a list of objects that a program printed as JSON; `null` is an empty list.
 * @param printer what to call the program and its command
 * @throws WalError exit code 2 for anything else */
export function jsonList(text: string, printer: string): readonly Readonly<Record<string, unknown>>[] {
  let value: unknown;
  try {
    value = JSON.parse(text) ?? [];
  } catch (cause) {
    throw new WalError(`${printer} printed no JSON`, { cause, exitCode: 2 });
  }
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw strangeReport(printer);
}

/** The report has another form than this version knows. */
export function strangeReport(printer: string): WalError {
  return new WalError(`${printer} printed something that is not understood`, {
    exitCode: 2,
    hint: "Its version may be newer than this walmgr.",
  });
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Seconds since 1970 that a date can have. */
export function isMoment(seconds: unknown): seconds is number {
  return typeof seconds === "number" && Math.abs(seconds) <= 8.64e12;
}
