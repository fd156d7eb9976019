import type { Config } from "../config/config.ts";
import { isJournalStream } from "./journal.ts";
import { type LineFormat, LineFormatError, parseLineFormat } from "./line-format.ts";
import type { LogLevel } from "./log.ts";
import { ProgramLog } from "./program-log.ts";
import { fromLevel, type LogHandler } from "./record.ts";
import { RotatingFile } from "./rotating-file.ts";
import { readSkylog, type Skylog, type SkylogOptions } from "./skylog/skylog.ts";
import { JournalHandler, type LogSink, type RecordFormat, StreamHandler } from "./stream-handler.ts";

export interface LogSetupOptions {
  /** of the command line */
  readonly level: LogLevel;
  /** what stands for stderr */
  readonly console: LogSink;
  /** least level that the console shows, when it is not that of the log */
  readonly consoleLevel?: LogLevel | undefined;
  /** -d was given, in the foreground and in the background process */
  readonly isDaemon: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** A log whose configuration is good; nothing is open yet. */
export interface LogPlan {
  /** @throws ConfigError when a file cannot be opened */
  open(): ProgramLog;
}

/** Reads how a configuration wants the log: with skylog what skylog.ini says, else the console; with both the rotating
 * `logfile`, if set.
 * @throws ConfigError when a format or skylog.ini is wrong
 * Source: spec/framework.md 6.2, 6.3 */
export function planLog(config: Config, options: LogSetupOptions): LogPlan {
  const names = { serviceName: config.section, jobName: config.get("job_name") };
  const isJournal = isJournalStream(2, options.env);
  const fileFormat = recordFormat(config, "file", options.level);
  const skylog = isSkylogOn(config, options)
    ? chosenSkylog(config, {
        ...names,
        console: options.console,
        isJournal,
        complain: (message) => options.console.write(`${message}\n`),
      })
    : undefined;
  const consoleHandler = skylog === undefined ? [planConsole(config, options, isJournal)] : undefined;
  return {
    open: () => {
      const logfile = openLogfile(config, fileFormat);
      const handlers = [...(consoleHandler ?? skylog?.open() ?? []), ...logfile];
      return new ProgramLog({ ...names, level: skylog?.level ?? options.level, handlers });
    },
  };
}

function chosenSkylog(config: Config, options: SkylogOptions): Skylog {
  const locations = config.getList("skylog_locations");
  const skylog = readSkylog(locations, options);
  if (skylog !== undefined) return skylog;
  const hint = "Create one, set skylog_locations, or set use_skylog = 0.";
  throw config.error("use_skylog", `none of these files exists: ${locations.join(", ")}`, hint);
}

/** Source: spec/framework.md 1.7 (use_skylog) */
function isSkylogOn(config: Config, { isDaemon }: LogSetupOptions): boolean {
  const setting = config.get("use_skylog");
  return setting === "2" || (setting === "1" && (isDaemon || !process.stdout.isTTY));
}

function planConsole(config: Config, options: LogSetupOptions, isJournal: boolean): LogHandler {
  const { level, console, consoleLevel = level } = options;
  const handler = isJournal
    ? new JournalHandler(console, journalFormat(config, level))
    : new StreamHandler(console, recordFormat(config, "console", level));
  return fromLevel(consoleLevel, handler);
}

/** The journal knows time, process and priority. */
function journalFormat(config: Config, level: LogLevel): RecordFormat {
  const isChosen = config.has("logfmt_console") || config.get("log_format") === "json";
  return isChosen ? recordFormat(config, "console", level) : parseLineFormat("%(levelname)s %(message)s", "");
}

function openLogfile(config: Config, format: RecordFormat): LogHandler[] {
  const path = config.has("logfile") ? config.getFile("logfile") : "";
  if (path === "") return [];
  try {
    const file = new RotatingFile(path, {
      maxBytes: config.getInt("log_size"),
      keptFiles: config.getInt("log_count"),
    });
    return [new StreamHandler(file, format)];
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const hint = code === "ENOENT" ? "Create the directory first." : undefined;
    throw config.error("logfile", `cannot open ${path} for writing (${code})`, hint);
  }
}

function recordFormat(config: Config, output: string, level: LogLevel): RecordFormat {
  if (config.get("log_format") === "json") return "json";
  return lineFormat(config, output, level === "debug" || level === "trace");
}

function lineFormat(config: Config, output: string, isVerbose: boolean): LineFormat {
  const suffix = isVerbose ? "_verbose" : "";
  const chosen = (name: string) => (config.has(`${name}${suffix}`) ? `${name}${suffix}` : name);
  const formatKey = chosen(`logfmt_${output}`);
  try {
    return parseLineFormat(config.get(formatKey), config.get(chosen(`logdatefmt_${output}`)));
  } catch (cause) {
    if (!(cause instanceof LineFormatError)) throw cause;
    throw config.error(formatKey, cause.message, "Write each % twice: %%(message)s.");
  }
}
