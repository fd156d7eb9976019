const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** A size for people: `512 B`, `1.5 KiB`, `12.3 GiB`; powers of 1024. */
export function formatBytes(bytes: number | bigint): string {
  let value = Number(bytes);
  let unit = 0;
  while (Math.abs(value) >= 1023.95 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${byteUnits[unit]}`;
}

/** Bytes in a second for people: `12.3 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** A whole number with commas between thousands. */
export function formatCount(count: number | bigint): string {
  return (typeof count === "number" ? Math.round(count) : count).toLocaleString("en-US");
}

/** A duration for people: `0.4s`, `45s`, `2m 05s`, `3h 02m`, `2d 03h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown";
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${padded(whole % 60)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${padded(minutes % 60)}m`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)}d ${padded(hours % 24)}h`;
}

function padded(value: number): string {
  return String(value).padStart(2, "0");
}
