import type { Config } from "../config/config.ts";
import { type LineFormat, LineFormatError, parseLineFormat } from "./line-format.ts";
import type { LogLevel } from "./log.ts";
import { type LogOutput, type LogSink, ProgramLog } from "./program-log.ts";
import { RotatingFile } from "./rotating-file.ts";

/** Opens the log that a configuration describes: the rotating `logfile`, if set, and the console.
 * @param consoleSink what stands for stderr
 * @throws ConfigError when the file cannot be opened or a format is wrong
 * Source: spec/framework.md 6.2 */
export function openLog(config: Config, level: LogLevel, consoleSink: LogSink): ProgramLog {
  const isVerbose = level === "debug" || level === "trace";
  const isJson = config.get("log_format") === "json";
  const format = (output: string): LogOutput["format"] =>
    isJson ? "json" : lineFormat(config, output, isVerbose);
  const file = openLogfile(config);
  return new ProgramLog({
    serviceName: config.section,
    jobName: config.get("job_name"),
    level,
    outputs: [
      { sink: consoleSink, format: format("console") },
      ...(file === undefined ? [] : [{ sink: file, format: format("file") }]),
    ],
  });
}

function openLogfile(config: Config): RotatingFile | undefined {
  const path = config.has("logfile") ? config.getFile("logfile") : "";
  if (path === "") return undefined;
  try {
    return new RotatingFile(path, {
      maxBytes: config.getInt("log_size"),
      keptFiles: config.getInt("log_count"),
    });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const hint = code === "ENOENT" ? "Create the directory first." : undefined;
    throw config.error("logfile", `cannot open ${path} for writing (${code})`, hint);
  }
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
