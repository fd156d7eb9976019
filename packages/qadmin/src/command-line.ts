import { formatConnectString, mergeConnectString, skytoolsVersion, UsageError } from "@skytools/skytools";
import { CommanderError, Command as Parser } from "commander";
import { describeQadmin } from "./describe-qadmin.ts";

/** What the words after `qadmin` ask for. */
export interface CommandLine {
  readonly connstr: string;
  readonly queue: string | undefined;
  /** -c */
  readonly commands: string | undefined;
  /** -f; `-` is standard input */
  readonly file: string | undefined;
  readonly isJson: boolean;
  readonly isExpanded: boolean;
  readonly isEchoing: boolean;
  readonly isQuiet: boolean;
  readonly isStrict: boolean;
  readonly isDryRun: boolean;
  readonly agreesToAll: boolean;
}

const switches: readonly (readonly [flags: string, doc: string])[] = [
  ["-h, --host <host>", "server or socket directory"],
  ["-p, --port <port>", "port of the server"],
  ["-U, --username <user>", "role to connect as"],
  ["-d, --dbname <dbname>", "database, or a connect string"],
  ["-Q, --queue <queue>", "default queue at the start"],
  ["-c, --command <text>", "run these commands and exit"],
  ["-f, --file <file>", "run the commands of a file and exit; - is standard input"],
  ["-x, --expanded", "a line for each column"],
  ["-e, --echo", "print each command of a script before its result"],
  ["-q, --quiet", "no banner"],
  ["-y, --yes", "agree to everything that asks first; scripts need it to drop or unregister"],
  ["--json", "one JSON object on a line for each result; with --help, a description of the program"],
  ["--dry-run", "print what would be changed, change nothing"],
  ["--strict", "a command that is refused ends a script with exit code 1"],
  ["--help", "show this help and exit"],
  ["--version", "show the version and exit"],
];

const after = `
Without -c and -f, commands come from the terminal or from standard input. What is missing in the connection data comes
from the environment, as for psql: PGHOST, PGPORT, PGUSER, PGDATABASE, PGSERVICE, PGPASSWORD, ~/.pgpass.
`;

/** @returns text: the answer to --help or --version
 * @throws UsageError
 * Source: spec/qadmin.md 1 */
export function parseCommandLine(argv: readonly string[]): CommandLine | string {
  const parser = new Parser("qadmin").usage("[switches] [dbname | connstring]").helpOption(false);
  parser.description("console for queues, cascades and Londiste").argument("[dbname...]");
  parser.exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} });
  for (const [flags, doc] of switches) parser.option(flags, doc);
  try {
    parser.parse([...argv], { from: "user" });
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    throw usage(cause.message.replace(/^error: /, ""), cause);
  }
  const given = parser.opts<Record<string, string | true | undefined>>();
  if (given.help === true && given.json === true)
    return `${JSON.stringify(describeQadmin(switches), undefined, 2)}\n`;
  if (given.help === true) return parser.helpInformation() + after;
  if (given.version === true) return `qadmin version ${skytoolsVersion}\n`;
  if (parser.args.length > 1) throw usage(`too many arguments: ${parser.args.slice(1).join(" ")}`);
  const value = (key: string) => (typeof given[key] === "string" ? given[key] : undefined);
  if (value("command") !== undefined && value("file") !== undefined) {
    throw usage("-c and -f cannot be used together");
  }
  return {
    connstr: connectString(value, parser.args[0]),
    queue: value("queue"),
    commands: value("command"),
    file: value("file"),
    isJson: given.json === true,
    isExpanded: given.expanded === true,
    isEchoing: given.echo === true,
    isQuiet: given.quiet === true,
    isStrict: given.strict === true,
    isDryRun: given.dryRun === true,
    agreesToAll: given.yes === true,
  };
}

/** A database name may be a whole connect string; it counts more than the switches. */
function connectString(value: (key: string) => string | undefined, operand: string | undefined): string {
  const pairs = new Map<string, string>();
  const names = { host: "host", port: "port", username: "user" };
  for (const [key, name] of Object.entries(names)) {
    const given = value(key);
    if (given !== undefined) pairs.set(name, given);
  }
  return [value("dbname"), operand].reduce<string>((connstr, database) => {
    if (database === undefined) return connstr;
    const isString = database.includes("=") || /^postgres(ql)?:\/\//.test(database);
    return mergeConnectString(
      connstr,
      isString ? database : formatConnectString(new Map([["dbname", database]])),
    );
  }, formatConnectString(pairs));
}

function usage(message: string, cause?: unknown): UsageError {
  return new UsageError(message, { hint: "qadmin --help lists the switches.", cause });
}
