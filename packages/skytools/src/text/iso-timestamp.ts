import { UsageError } from "../errors.ts";

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?$/;

/** Microseconds since 1970-01-01 UTC of a timestamp such as `2024-05-01 12:00:00.123456+02`. Without a zone it is UTC.
 * @throws UsageError when the text is no timestamp
 * Source: spec/framework.md 7.7 (parse_iso_timestamp) */
export function parseIsoTimestamp(text: string): bigint {
  const parts = pattern.exec(text.trim());
  if (parts === null) throw new UsageError(`not a timestamp: "${text}"`);
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0));
  const date = new Date(0);
  // Date.UTC() takes the years 0 to 99 for those of the 20th century.
  date.setUTCFullYear(year!, month! - 1, day);
  const isReal = date.getUTCMonth() === month! - 1 && date.getUTCDate() === day && hour! < 24 && minute! < 60;
  if (!isReal || second! > 60) throw new UsageError(`no such date or time: "${text}"`);
  const fraction = BigInt((parts[7] ?? "").padEnd(6, "0").slice(0, 6));
  const [sign, zoneHours, zoneMinutes] = parts.slice(9, 12);
  const offsetMinutes = Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0);
  const offset = BigInt(sign === "-" ? -offsetMinutes : offsetMinutes) * 60_000_000n;
  return BigInt(date.setUTCHours(hour!, minute, second)) * 1000n + fraction - offset;
}
