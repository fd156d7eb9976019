import { maskConnectString, SkytoolsError } from "@skytools/skytools";
import { type CommandLine, parseCommandLine } from "./command-line.ts";
import { Console, unconfirmed } from "./console.ts";
import { InterruptSignal } from "./interrupt-signal.ts";
import { errorText } from "./output/error-text.ts";
import { JsonPrinter } from "./output/json-printer.ts";
import { TextPrinter } from "./output/text-printer.ts";
import { linesOf, readScript, runScript } from "./script.ts";
import { Session } from "./session/session.ts";
import { askOnTerminal } from "./terminal/ask-on-terminal.ts";
import { InteractiveConsole } from "./terminal/interactive-console.ts";

const write = (text: string): void => {
  process.stdout.write(text);
};
const complain = (text: string): void => {
  process.stderr.write(text);
};

/** Runs qadmin from its command line to its end.
 * @param argv the words after the program's name
 * @returns the exit code: 0; 1 after a failure in a script, for wrong switches, and without connection
 * Source: spec/qadmin.md 1 */
export async function runQadmin(argv: readonly string[]): Promise<number> {
  process.stdout.on("error", leaveOnClosedPipe);
  try {
    const line = parseCommandLine(argv);
    if (typeof line !== "string") return await run(line, argv);
    write(line);
    return 0;
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    complain(errorText(error, undefined, undefined).replace(/^ERROR/, "qadmin"));
    return 1;
  }
}

async function run(line: CommandLine, argv: readonly string[]): Promise<number> {
  hidePassword(line.connstr, argv);
  await using session = new Session({
    onNotice: ({ severity, message, detail, hint }) => {
      const more = [detail && `DETAIL: ${detail}\n`, hint && `HINT: ${hint}\n`];
      complain(`${severity}: ${message}\n${more.map((text) => text ?? "").join("")}`);
    },
    onWarning: (message) => complain(`WARNING: ${message}\n`),
  });
  const script = scriptOf(line);
  await session.connect(line.connstr);
  session.queue = line.queue;
  return script === undefined
    ? await new InteractiveConsole(session, line, { write, complain }).run()
    : await runUnattended(session, line, script);
}

interface Script {
  readonly name: string | undefined;
  readonly pieces: Iterable<string> | AsyncIterable<string>;
}

/** undefined: somebody sits at the terminal */
function scriptOf({ commands, file }: CommandLine): Script | undefined {
  if (commands !== undefined) return { name: undefined, pieces: [commands] };
  if (file !== undefined && file !== "-") return { name: file, pieces: [readScript(file)] };
  if (file === undefined && process.stdin.isTTY && process.stdout.isTTY) return undefined;
  return { name: "stdin", pieces: linesOf(process.stdin) };
}

async function runUnattended(session: Session, line: CommandLine, { name, pieces }: Script): Promise<number> {
  const console = new Console({
    session,
    printer: line.isJson ? new JsonPrinter(write) : new TextPrinter(write, line.isExpanded),
    complain,
    isDryRun: line.isDryRun,
    confirm: async (what) => {
      if (line.agreesToAll) return true;
      if (!process.stdin.isTTY || !process.stderr.isTTY) throw unconfirmed(what);
      return await askOnTerminal(what);
    },
  });
  const interrupt = new InterruptSignal(console);
  const isGood = await runScript(console, pieces, {
    name,
    isStrict: line.isStrict,
    complain,
    ...(line.isEchoing ? { echo: (statement) => write(`${statement}\n`) } : {}),
  });
  await interrupt.end();
  return isGood ? 0 : 1;
}

/** What others see in the list of processes. */
function hidePassword(connstr: string, argv: readonly string[]): void {
  const shown = maskConnectString(connstr);
  const hasSecret = shown !== connstr || argv.some((word) => /passw(or)?d/i.test(word));
  if (hasSecret) process.title = `qadmin ${shown}`;
}

/** Somebody like `head` has seen enough. */
function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(process.exitCode ?? 0);
}
