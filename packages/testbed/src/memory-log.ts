/** A log for code under test, with the methods of the framework's Log. */
export interface MemoryLog {
  readonly level: "trace";
  /** each record as `level message`, oldest first */
  readonly lines: string[];
  trace(message: string): void;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  fatal(message: string): void;
  child(): MemoryLog;
}

/** @param lines where the records go, so that several logs can share them */
export function memoryLog(lines: string[] = []): MemoryLog {
  const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const log: MemoryLog = {
    level: "trace",
    lines,
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    child: () => log,
  };
  return log;
}
