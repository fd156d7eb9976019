import { closeSync, openSync, writeSync } from "node:fs";
import { isJournalStream, type Syslog } from "@skytools/skytools";

/** Most to least important. Informational lines carry LOG: monitoring searches for it. */
export type LogLevel = "FATAL" | "ERROR" | "WARNING" | "LOG" | "DEBUG" | "NOISE";

const rank: Readonly<Record<LogLevel, number>> = {
  FATAL: 0,
  ERROR: 1,
  WARNING: 2,
  LOG: 3,
  DEBUG: 4,
  NOISE: 5,
};

/** Numbers of syslog(3). */
const severity: Readonly<Record<LogLevel, number>> = {
  FATAL: 2,
  ERROR: 3,
  WARNING: 4,
  LOG: 6,
  DEBUG: 7,
  NOISE: 7,
};

export interface DaemonLogOptions {
  /** 0: informational, 1: debug, 2: every tick */
  readonly verbosity: number;
  readonly isStderrOn: boolean;
  readonly logfile: string;
  readonly syslog: Syslog | undefined;
}

/** The daemon's log: stderr and file get `YYYY-MM-DD HH:MM:SS.mmm TZ [pid] LEVEL message`, syslog the bare message of
 * informational and worse lines; on systemd's journal stderr says level and message. Source: spec/pgq-library.md B9 */
export class DaemonLog {
  readonly #maxRank: number;
  readonly #isStderrOn: boolean;
  readonly #isStderrJournal: boolean;
  #file: number | undefined;
  #syslog: Syslog | undefined;

  /** @throws the system's error when the file cannot be opened */
  constructor(options: DaemonLogOptions) {
    this.#maxRank = rank.LOG + options.verbosity;
    this.#isStderrOn = options.isStderrOn;
    this.#isStderrJournal = isJournalStream(2, process.env);
    this.#syslog = options.syslog;
    this.#file = options.logfile === "" ? undefined : openSync(options.logfile, "a");
  }

  /** Opens file and syslog anew, for log rotation and changed settings. Keeps the old file when the new one fails. */
  reopen(logfile: string, syslog: Syslog | undefined): void {
    const next = logfile === "" ? undefined : openSync(logfile, "a");
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = next;
    void this.#syslog?.close();
    this.#syslog = syslog;
  }

  fatal(message: string): void {
    this.#write("FATAL", message);
  }

  error(message: string): void {
    this.#write("ERROR", message);
  }

  warning(message: string): void {
    this.#write("WARNING", message);
  }

  info(message: string): void {
    this.#write("LOG", message);
  }

  debug(message: string): void {
    this.#write("DEBUG", message);
  }

  noise(message: string): void {
    this.#write("NOISE", message);
  }

  /** Resolves when syslog has its last line too. */
  async close(): Promise<void> {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    await this.#syslog?.close();
    this.#syslog = undefined;
  }

  #write(level: LogLevel, message: string): void {
    if (rank[level] > this.#maxRank) return;
    const text = message.replaceAll("\n", "\n\t");
    const line = `${timestamp(new Date())} [${process.pid}] ${level} ${text}\n`;
    if (this.#isStderrOn) writeQuietly(2, this.#isStderrJournal ? journalLines(level, text) : line);
    if (this.#file !== undefined) writeQuietly(this.#file, line);
    if (rank[level] <= rank.LOG) this.#syslog?.send(severity[level], text);
  }
}

/** The journal knows time and process; each line begins with its priority. Source: sd-daemon(3), "Logging" */
function journalLines(level: LogLevel, text: string): string {
  const lines = `${level} ${text}`.split("\n");
  return lines.map((line) => `<${severity[level]}>${line}\n`).join("");
}

/** A full disk or a closed terminal must not stop the ticker. */
function writeQuietly(descriptor: number, line: string): void {
  try {
    writeSync(descriptor, line);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
  }
}

/** Local time with milliseconds and the zone's short name. */
function timestamp(when: Date): string {
  const pad = (value: number, width = 2) => String(value).padStart(width, "0");
  const date = `${when.getFullYear()}-${pad(when.getMonth() + 1)}-${pad(when.getDate())}`;
  const time = `${pad(when.getHours())}:${pad(when.getMinutes())}:${pad(when.getSeconds())}.${pad(when.getMilliseconds(), 3)}`;
  return `${date} ${time} ${zoneName(when)}`;
}

const zoneFormat = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" });

function zoneName(when: Date): string {
  return zoneFormat.formatToParts(when).find((part) => part.type === "timeZoneName")?.value ?? "UTC";
}
