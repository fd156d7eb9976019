/* The same value has to hash alike whether it was copied, as COPY writes it, or comes in an event: there booleans and times look other in
 * JSON, and a moment is told in the time zone of the session that has written it, or that copies. */

const cycleYears = 400;
const firstYear = 2000;

const times =
  /(\d{4,6})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(\.\d+)?(?:([+-])(\d\d)(?::(\d\d)(?::(\d\d))?)?)?( BC)?/g;

/** The form of a value that is hashed: what COPY writes in UTC. Of arrays, ranges and rows their elements too. */
export function hashedText(value: string): string {
  if (value === "true") return "t";
  if (value === "false") return "f";
  if (/^[[({]/.test(value)) return value.replace(times, inUtc);
  return value.replace(wholeTime, inUtc);
}

const wholeTime = new RegExp(`^${times.source}$`);

function inUtc(_time: string, ...parts: (string | undefined)[]): string {
  const [
    year,
    month,
    day,
    hour,
    minute,
    second,
    fraction = "",
    sign,
    offsetHour,
    offsetMinute,
    offsetSecond,
    era,
  ] = parts;
  if (sign === undefined) return `${year}-${month}-${day} ${hour}:${minute}:${second}${fraction}${era ?? ""}`;
  const offset = [offsetHour, offsetMinute, offsetSecond].reduce(
    (sum, part) => sum * 60 + Number(part ?? 0),
    0,
  );
  // The calendar is the same every 400 years, and dates of JavaScript end before those of the server.
  const astronomicalYear = era === undefined ? Number(year) : 1 - Number(year);
  const cycles = Math.floor((astronomicalYear - firstYear) / cycleYears);
  const local = Date.UTC(
    astronomicalYear - cycles * cycleYears,
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const moment = new Date(local - (sign === "-" ? -offset : offset) * 1000);
  const utcYear = moment.getUTCFullYear() + cycles * cycleYears;
  const shownYear = String(utcYear > 0 ? utcYear : 1 - utcYear).padStart(4, "0");
  const rest = moment.toISOString().slice(-20, -5).replace("T", " ");
  return `${shownYear}${rest}${fraction}+00${utcYear > 0 ? "" : " BC"}`;
}
