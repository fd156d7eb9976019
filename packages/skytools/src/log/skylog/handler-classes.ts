import { expandHome } from "../../config/home-directory.ts";
import { parseConnectPairs } from "../../db/connect-string.ts";
import { LogDbHandler } from "../logdb-handler.ts";
import type { LogHandler } from "../record.ts";
import { RotatingFile } from "../rotating-file.ts";
import { JournalHandler, type LogSink, type RecordFormat, StreamHandler } from "../stream-handler.ts";
import { syslogFacilities } from "../syslog.ts";
import { SyslogHandler } from "../syslog-handler.ts";
import { UdpLogServerHandler } from "../udp-log-server-handler.ts";
import { UdpSender } from "../udp-sender.ts";
import { UdpTNetStringsHandler } from "../udp-tnetstrings-handler.ts";
import { type Argument, ArgumentError, isList } from "./argument-parser.ts";

export interface HandlerContext {
  readonly format: RecordFormat;
  /** what stands for stderr */
  readonly console: LogSink;
  /** stderr leads to the journal */
  readonly isJournal: boolean;
  /** says what is wrong with a destination, once, where the operator may see it */
  readonly complain: (message: string) => void;
}

/** Checks the arguments of a handler. @returns opens it
 * @throws ArgumentError */
export type HandlerClass = (args: readonly Argument[], context: HandlerContext) => () => LogHandler;

const tenMebibytes = 10 * 1024 * 1024;

/** Handler classes by the last part of their Python name.
 * Source: spec/framework.md 6.3, 6.4 */
export const handlerClasses: ReadonlyMap<string, HandlerClass> = new Map(
  Object.entries<HandlerClass>({
    StreamHandler: (args, { format, console, isJournal }) => {
      const sink = streamOf(args[0], console);
      const isForJournal = isJournal && sink === console;
      return () => (isForJournal ? new JournalHandler(sink, format) : new StreamHandler(sink, format));
    },
    JournalHandler:
      (_args, { format, console }) =>
      () =>
        new JournalHandler(console, format),
    NullHandler: () => () => ({ handle: () => {} }),
    FileHandler: (args, context) => fileHandler(textOf(args, 0, "file"), 0, 0, context),
    RotatingFileHandler: (args, context) =>
      fileHandler(textOf(args, 0, "file"), wholeOf(args, 2, 0), wholeOf(args, 3, 0), context),
    EasyRotatingFileHandler: (args, context) =>
      fileHandler(
        expandHome(textOf(args, 0, "file")),
        wholeOf(args, 1, tenMebibytes),
        wholeOf(args, 2, 3),
        context,
      ),
    UdpLogServerHandler: (args, { format, complain }) => {
      const [host, port] = [textOf(args, 0, "host"), wholeOf(args, 1)];
      return () => new UdpLogServerHandler(new UdpSender(host, port, complain), format);
    },
    UdpTNetStringsHandler: (args, { complain }) => {
      const [host, port] = [textOf(args, 0, "host"), wholeOf(args, 1)];
      return () => new UdpTNetStringsHandler(new UdpSender(host, port, complain));
    },
    LogDBHandler: (args, { complain }) => {
      const connstr = textOf(args, 0, "connect string");
      parseConnectPairs(connstr);
      return () => new LogDbHandler(connstr, complain);
    },
    SysLogHandler: (args, context) => syslogHandler(args, context, false),
    SysLogHostnameHandler: (args, context) => syslogHandler(args, context, true),
  }),
);

function streamOf(argument: Argument | undefined, console: LogSink): LogSink {
  if (argument === undefined || argument === null) return console;
  const name = typeof argument === "object" && "name" in argument ? argument.name : undefined;
  if (name === "sys.stderr") return console;
  if (name === "sys.stdout") return { write: (text) => process.stdout.write(text) };
  throw new ArgumentError("has a stream that is neither sys.stderr nor sys.stdout");
}

function fileHandler(
  path: string,
  maxBytes: number,
  keptFiles: number,
  { format }: HandlerContext,
): () => LogHandler {
  return () => new StreamHandler(new RotatingFile(path, { maxBytes, keptFiles }), format);
}

function syslogHandler(
  args: readonly Argument[],
  { format, complain }: HandlerContext,
  hasHostName: boolean,
): () => LogHandler {
  const address = syslogAddress(args[0]);
  const facility = facilityOf(args[1]);
  return () => new SyslogHandler({ address, facility, hasHostName, format, complain });
}

function syslogAddress(argument: Argument | undefined) {
  if (argument === undefined) return { host: "localhost", port: 514 };
  if (typeof argument === "string") return argument;
  const [host, port] = isList(argument) ? argument : [];
  if (typeof host === "string" && typeof port === "number") return { host, port };
  throw new ArgumentError(`needs an address: ('host', 514) or '/dev/log'`);
}

/** `'local0'`, or a name that ends in LOG_LOCAL0, or its number in place. */
function facilityOf(argument: Argument | undefined): string {
  if (argument === undefined) return "user";
  const isName = typeof argument === "object" && argument !== null && "name" in argument;
  const text = isName ? argument.name.replace(/^.*LOG_/, "").toLowerCase() : argument;
  const found = Object.entries(syslogFacilities).find(([name, number]) => name === text || number === text);
  if (found !== undefined) return found[0];
  throw new ArgumentError(`has an unknown facility; known are ${Object.keys(syslogFacilities).join(", ")}`);
}

function textOf(args: readonly Argument[], index: number, what: string): string {
  const value = args[index];
  if (typeof value === "string") return value;
  throw new ArgumentError(`lacks argument ${index + 1}, the ${what}, as text in quotes`);
}

function wholeOf(args: readonly Argument[], index: number, standard?: number): number {
  const value = args[index] ?? standard;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ArgumentError(`lacks argument ${index + 1} as a whole number`);
}
