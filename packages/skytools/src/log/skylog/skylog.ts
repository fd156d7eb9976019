import { UsageError } from "../../errors.ts";
import { LineFormatError, parseLineFormat } from "../line-format.ts";
import type { LogLevel } from "../log.ts";
import { fromLevel, type LogHandler } from "../record.ts";
import type { LogSink, RecordFormat } from "../stream-handler.ts";
import { ArgumentError, parseArguments } from "./argument-parser.ts";
import { handlerClasses } from "./handler-classes.ts";
import { SkylogFile, type SkylogNames } from "./skylog-file.ts";

/** The part of a skylog.ini that concerns one job, checked. */
export interface Skylog {
  /** of the job's own logger; undefined: the level of the command line */
  readonly level: LogLevel | undefined;
  /** @throws ConfigError when a destination cannot be opened */
  open(): LogHandler[];
}

export interface SkylogOptions extends SkylogNames {
  /** what stands for stderr */
  readonly console: LogSink;
  readonly complain: (message: string) => void;
  /** stderr leads to the journal */
  readonly isJournal: boolean;
}

/** Reads the first skylog.ini that exists and checks all of it.
 * @returns undefined when none exists
 * @throws ConfigError when something in it is wrong
 * Source: spec/framework.md 6.3 */
export function readSkylog(locations: readonly string[], options: SkylogOptions): Skylog | undefined {
  const file = SkylogFile.find(locations, options);
  if (file === undefined) return undefined;
  const formats = new Map(formatterNames(file).map((name) => [name, readFormat(file, name)]));
  const handlers = new Map(
    file.list("handlers").map((name) => [name, readHandler(file, name, formats, options)]),
  );
  const { level, names } = chooseHandlers(file, options.jobName, new Set(handlers.keys()));
  return {
    level,
    open: () => names.map((name) => handlers.get(name)!()),
  };
}

function formatterNames(file: SkylogFile): string[] {
  return file.hasSection("formatters") ? file.list("formatters") : [];
}

function readFormat(file: SkylogFile, name: string): RecordFormat {
  const section = `formatter_${name}`;
  requireSection(file, section, "formatters");
  if (file.value(section, "class")?.endsWith("JsonFormatter")) return "json";
  return lineFormat(
    file,
    section,
    file.raw(section, "format") ?? "%(message)s",
    file.raw(section, "datefmt") ?? "",
  );
}

function lineFormat(file: SkylogFile, section: string, format: string, dateFormat: string): RecordFormat {
  try {
    return parseLineFormat(format, dateFormat);
  } catch (cause) {
    if (cause instanceof LineFormatError) throw file.error(section, "format", cause.message);
    throw cause;
  }
}

function readHandler(
  file: SkylogFile,
  name: string,
  formats: ReadonlyMap<string, RecordFormat>,
  { console, complain, isJournal }: SkylogOptions,
): () => LogHandler {
  const section = `handler_${name}`;
  requireSection(file, section, "handlers");
  const className = file.required(section, "class");
  const handlerClass = handlerClasses.get(className.replace(/^.*\./, ""));
  if (handlerClass === undefined) {
    const known = `Known are ${[...handlerClasses.keys()].join(", ")}.`;
    throw file.error(section, "class", `unknown handler class "${className}"`, known);
  }
  const level = levelOf(file, section);
  const formatter = file.value(section, "formatter") ?? "";
  const format = formatter === "" ? lineFormat(file, section, "%(message)s", "") : formats.get(formatter);
  if (format === undefined) {
    throw file.error(section, "formatter", `"${formatter}" is not listed in [formatters] keys`);
  }
  const open = namingArguments(file, section, () =>
    handlerClass(parseArguments(file.value(section, "args") ?? "()"), {
      format,
      console,
      complain,
      isJournal,
    }),
  );
  return () => opened(file, section, () => (level === undefined ? open() : fromLevel(level, open())));
}

function namingArguments<T>(file: SkylogFile, section: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (!(cause instanceof ArgumentError) && !(cause instanceof UsageError)) throw cause;
    throw file.error(section, "args", cause.message);
  }
}

function opened(file: SkylogFile, section: string, open: () => LogHandler): LogHandler {
  try {
    return open();
  } catch (cause) {
    const { code, path, message } = cause as NodeJS.ErrnoException;
    const hint = code === "ENOENT" ? "Create the directory first." : undefined;
    const what = path === undefined ? message : `cannot open ${path} for writing (${code})`;
    throw file.error(section, "args", what, hint);
  }
}

/** The handlers of the loggers that a job's records reach: its own, those of its name's beginnings up to a dot, and root's,
 * until one does not propagate. */
function chooseHandlers(file: SkylogFile, jobName: string, known: ReadonlySet<string>) {
  const loggers = file.list("loggers").map((name) => readLogger(file, name, known));
  const reached = loggers
    .filter(({ name }) => name === "" || name === jobName || jobName.startsWith(`${name}.`))
    .sort((one, other) => other.name.length - one.name.length);
  const last = reached.findIndex(({ propagates }) => !propagates);
  const chain = last < 0 ? reached : reached.slice(0, last + 1);
  const level = reached.find(({ name, level }) => name !== "" && level !== undefined)?.level;
  return { level, names: [...new Set(chain.flatMap(({ handlers }) => handlers))] };
}

function readLogger(file: SkylogFile, key: string, known: ReadonlySet<string>) {
  const section = `logger_${key}`;
  requireSection(file, section, "loggers");
  const handlers = (file.value(section, "handlers") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const unknown = handlers.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw file.error(section, "handlers", `"${unknown}" is not listed in [handlers] keys`);
  }
  return {
    name: key === "root" ? "" : file.required(section, "qualname"),
    level: levelOf(file, section),
    handlers,
    propagates: (file.value(section, "propagate") ?? "1") !== "0",
  };
}

const levels: ReadonlyMap<string, LogLevel> = new Map([
  ["TRACE", "trace"],
  ["DEBUG", "debug"],
  ["INFO", "info"],
  ["WARNING", "warn"],
  ["WARN", "warn"],
  ["ERROR", "error"],
  ["CRITICAL", "fatal"],
  ["FATAL", "fatal"],
]);

function levelOf(file: SkylogFile, section: string): LogLevel | undefined {
  const text = file.value(section, "level") ?? "NOTSET";
  if (text === "NOTSET" || text === "") return undefined;
  const level = levels.get(text);
  if (level !== undefined) return level;
  const hint = `Known are ${[...levels.keys()].join(", ")} and NOTSET.`;
  throw file.error(section, "level", `unknown level "${text}"`, hint);
}

function requireSection(file: SkylogFile, section: string, list: string): void {
  if (!file.hasSection(section)) {
    throw file.error(list, "keys", `there is no section [${section}]`);
  }
}
