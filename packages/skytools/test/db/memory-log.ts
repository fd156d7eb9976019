import type { Log, LogLevel } from "#src/index.js";

/** A log that keeps its lines as `level message`. */
export function memoryLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const at = (level: LogLevel) => (message: string) => void lines.push(`${level} ${message}`);
  const log: Log = {
    level: "trace",
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    child: () => log,
  };
  return { log, lines };
}
