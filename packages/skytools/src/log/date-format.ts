const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Formats local time as strftime does, in the C locale; an unknown directive stays as it is. */
export function formatDate(date: Date, format: string): string {
  return format.replace(/%(.)/gs, (directive, letter: string) => {
    return directives[letter]?.(date) ?? directive;
  });
}

/** `2024-05-01 12:00:00,123`, local time. */
export function classicTimestamp(date: Date): string {
  return `${formatDate(date, "%Y-%m-%d %H:%M:%S")},${String(date.getMilliseconds()).padStart(3, "0")}`;
}

const directives: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => weekdays[date.getDay()]!.slice(0, 3),
  A: (date) => weekdays[date.getDay()]!,
  b: (date) => months[date.getMonth()]!.slice(0, 3),
  B: (date) => months[date.getMonth()]!,
  c: (date) => formatDate(date, "%a %b %e %H:%M:%S %Y"),
  d: (date) => two(date.getDate()),
  D: (date) => formatDate(date, "%m/%d/%y"),
  e: (date) => String(date.getDate()).padStart(2, " "),
  F: (date) => formatDate(date, "%Y-%m-%d"),
  H: (date) => two(date.getHours()),
  I: (date) => two(date.getHours() % 12 || 12),
  j: (date) => String(dayOfYear(date)).padStart(3, "0"),
  m: (date) => two(date.getMonth() + 1),
  M: (date) => two(date.getMinutes()),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  R: (date) => formatDate(date, "%H:%M"),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  S: (date) => two(date.getSeconds()),
  T: (date) => formatDate(date, "%H:%M:%S"),
  x: (date) => formatDate(date, "%m/%d/%y"),
  X: (date) => formatDate(date, "%H:%M:%S"),
  y: (date) => two(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()).padStart(4, "0"),
  z: (date) => zoneOffset(date),
  Z: (date) => zoneName(date),
  "%": () => "%",
};

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getFullYear(), 0, 1);
  return 1 + (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - start) / 86_400_000;
}

function zoneOffset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

function zoneName(date: Date): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(date);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
}
