/** What a command line asks for. */
export type Request =
  | { readonly kind: "help" | "description" | "sample" | "version" }
  | { readonly kind: "wrong"; readonly message: string; readonly isUsageShown: boolean }
  | {
      readonly kind: "run";
      readonly file: string;
      readonly verbosity: number;
      readonly isQuiet: boolean;
      readonly isDaemon: boolean;
    }
  | { readonly kind: "check"; readonly file: string }
  | { readonly kind: "signal"; readonly file: string; readonly signal: NodeJS.Signals };

interface Flag {
  readonly letter: string;
  readonly doc: string;
}

/** The switches of one letter, in the order of the help. */
export const flags: readonly Flag[] = [
  { letter: "q", doc: "no output on stderr" },
  { letter: "v", doc: "log more; twice: log every tick" },
  { letter: "d", doc: "run in the background" },
  { letter: "s", doc: "stop the running daemon (SIGINT)" },
  { letter: "k", doc: "kill the running daemon (SIGTERM)" },
  { letter: "r", doc: "let the running daemon read its file again (SIGHUP)" },
  { letter: "h", doc: "show this help; also --help" },
  { letter: "V", doc: "show the version; also --version" },
];

const signals: Readonly<Record<string, NodeJS.Signals>> = { s: "SIGINT", k: "SIGTERM", r: "SIGHUP" };

export function usage(): string {
  return [
    "usage: pgqd [-q] [-v] [-d] CONFIG",
    "       pgqd -s | -k | -r CONFIG",
    "       pgqd --ini",
    "       pgqd --check CONFIG",
    "",
    ...flags.map(({ letter, doc }) => `  -${letter}      ${doc}`),
    "  --ini   show a sample file",
    "  --check look for mistakes in the file, and exit",
    "",
  ].join("\n");
}

/** Reads the arguments that follow the program's name. Short switches may be bundled; the last of -s, -k, -r wins.
 * Source: spec/pgq-library.md B1 */
export function parseCommandLine(args: readonly string[]): Request {
  if (args.includes("--ini")) return { kind: "sample" };
  if (args.includes("--help")) return { kind: args.includes("--json") ? "description" : "help" };
  if (args.includes("--version")) return { kind: "version" };
  const isCheck = args.includes("--check");
  const letters: string[] = [];
  const files: string[] = [];
  for (const arg of args) {
    if (arg === "--check") continue;
    if (arg.startsWith("--")) return wrong(`unknown switch: ${arg}`, true);
    if (arg.startsWith("-") && arg !== "-") letters.push(...arg.slice(1).split(""));
    else files.push(arg);
  }
  const unknown = letters.find((letter) => flags.every((flag) => flag.letter !== letter));
  if (unknown !== undefined) return wrong(`unknown switch: -${unknown}`, true);
  if (letters.includes("h")) return { kind: "help" };
  if (letters.includes("V")) return { kind: "version" };
  if (files.length !== 1) {
    return wrong(files.length === 0 ? "a config file is needed; see pgqd -h" : "one config file only", false);
  }
  const file = files[0]!;
  if (isCheck) return { kind: "check", file };
  const signal = letters.findLast((letter) => letter in signals);
  if (signal !== undefined) return { kind: "signal", file, signal: signals[signal]! };
  return {
    kind: "run",
    file,
    verbosity: letters.filter((letter) => letter === "v").length,
    isQuiet: letters.includes("q"),
    isDaemon: letters.includes("d"),
  };
}

function wrong(message: string, isUsageShown: boolean): Request {
  return { kind: "wrong", message, isUsageShown };
}
