import { CommanderError, Command as Parser } from "commander";
import { UsageError } from "../errors.ts";
import { expandAbbreviations, operandsOf } from "./abbreviation.ts";
import { findCommand } from "./operands.ts";
import type { Command, Program } from "./program.ts";
import type { ParsedSwitch, SwitchTable } from "./switch-table.ts";

/** What a command line asks for; nothing is read or checked yet beyond the words themselves. */
export interface CommandLine {
  /** configuration file, command and operands as they stand */
  readonly operands: readonly string[];
  /** the command that an operand names, for help */
  readonly command: Command | undefined;
  /** switches of the program that were given: long name to values, one for each time */
  readonly given: ReadonlyMap<string, readonly (string | true)[]>;
  /** `--set`, lower-case keys */
  readonly overrides: Readonly<Record<string, string>>;
  readonly verbosity: number;
  readonly isQuiet: boolean;
  readonly isDaemon: boolean;
  readonly isJson: boolean;
  readonly request: "help" | "version" | "template" | "check" | NodeJS.Signals | undefined;
}

const signals: Readonly<Record<string, NodeJS.Signals>> = {
  reload: "SIGHUP",
  stop: "SIGINT",
  kill: "SIGTERM",
};

/** Reads the words after the program's name. Switches and operands may be mixed, short switches bundled, long ones
 * abbreviated; the last of -r, -s, -k wins.
 * @throws UsageError, exit code 2
 * Source: spec/framework.md 2.1 */
export function parseCommandLine(program: Program, table: SwitchTable, argv: readonly string[]): CommandLine {
  const named = operandsOf(argv, table.all).slice(0, 2);
  const command = named.map((word) => findCommand(program, word)).findLast((found) => found !== undefined);
  const preferred = [...table.common, ...table.ofCommand(command)];
  const words = expandAbbreviations(argv, table.all, preferred);
  const { given, order, operands } = parseWords(words, table.all);
  const has = (long: string) => given.has(long);
  const signal = order.findLast((long) => long in signals);
  const common = new Set(table.common.map((each) => each.long));
  return {
    operands,
    command,
    given: new Map([...given].filter(([long]) => !common.has(long))),
    overrides: Object.fromEntries((given.get("set") ?? []).map((value) => override(String(value)))),
    verbosity: given.get("verbose")?.length ?? 0,
    isQuiet: has("quiet"),
    isDaemon: has("daemon"),
    isJson: has("json"),
    request: requestOf(has, signal),
  };
}

function requestOf(has: (long: string) => boolean, signal: string | undefined): CommandLine["request"] {
  if (has("help")) return "help";
  if (has("version")) return "version";
  if (has("ini")) return "template";
  if (has("check")) return "check";
  return signal === undefined ? undefined : signals[signal];
}

interface ParsedWords {
  readonly given: ReadonlyMap<string, (string | true)[]>;
  /** long names in the order of the line */
  readonly order: readonly string[];
  readonly operands: readonly string[];
}

function parseWords(words: readonly string[], switches: readonly ParsedSwitch[]): ParsedWords {
  const parser = new Parser().exitOverride().helpOption(false).allowExcessArguments(true);
  parser.configureOutput({ writeErr: () => {}, outputError: () => {} });
  const given = new Map<string, (string | true)[]>();
  const order: string[] = [];
  for (const { long, short, argument } of switches) {
    const flags = `${short === undefined ? "" : `-${short}, `}--${long}`;
    parser.option(argument === undefined ? flags : `${flags} <${argument}>`);
    parser.on(`option:${long}`, (value: string | null | undefined) => {
      given.set(long, [...(given.get(long) ?? []), value ?? true]);
      order.push(long);
    });
  }
  try {
    parser.parse(words, { from: "user" });
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    throw new UsageError(cause.message.replace(/^error: /, ""), { exitCode: 2, cause });
  }
  return { given, order, operands: parser.args };
}

function override(text: string): [key: string, value: string] {
  const equals = text.indexOf("=");
  if (equals < 1) throw new UsageError(`--set wants PARAM=VALUE, got "${text}"`, { exitCode: 2 });
  return [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
}

/** The values of the switches as the program's code sees them.
 * @throws UsageError, exit code 2, for a switch that the command does not take */
export function switchValues(
  table: SwitchTable,
  command: Command | undefined,
  given: CommandLine["given"],
): Record<string, unknown> {
  const switches = table.ofCommand(command);
  const stranger = [...given.keys()].find((long) => switches.every((each) => each.long !== long));
  if (stranger !== undefined) throw foreignSwitch(table, command, stranger);
  const entries = switches.map((each) => [each.name, switchValue(each, given.get(each.long))] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function switchValue(
  { definition, isRepeatable }: ParsedSwitch,
  given: readonly (string | true)[] | undefined,
): unknown {
  if (isRepeatable) return given ?? (definition.default === undefined ? [] : [definition.default]);
  return given?.at(-1) ?? definition.default;
}

function foreignSwitch(table: SwitchTable, command: Command | undefined, long: string): UsageError {
  const of = command === undefined ? "this program" : `command "${command.name}"`;
  const others = table.commandsWith(long).join(", ");
  return new UsageError(`option --${long} is not for ${of}`, {
    exitCode: 2,
    hint: others === "" ? undefined : `Commands with this option: ${others}.`,
  });
}
