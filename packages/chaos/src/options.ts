import { parseArgs } from "node:util";

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly isJson: boolean;
  /** Print the schedule, and do nothing. */
  readonly isDryRun: boolean;
  /** Tell what happens while it does. */
  readonly isVerbose: boolean;
}

export const usage = `usage: npm run test:chaos -- [options]

A cascade of five nodes under load, while processes and servers die, networks fail and operators change the set;
at the end everything is compared.

  --seed N       the schedule of disturbances; the same seed repeats it (default: a new one)
  --minutes M    how long (default 10)
  --verbose      tell what happens while it does, on standard error
  --dry-run      print the beginning of the schedule, and do nothing
  --json         the summary as JSON
  --help

Exit code: 0 when nothing differs, 1 when something does or does not come to an end in time, 2 for wrong options.
`;

/** @returns undefined when help was asked for
 * @throws Error for an unknown option or a bad value */
export function parseOptions(args: readonly string[]): ChaosOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string" },
      minutes: { type: "string", default: "10" },
      verbose: { type: "boolean", short: "v", default: false },
      "dry-run": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Error(`--seed must be a whole number: ${values.seed}`);
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes must be a positive number: ${values.minutes}`);
  return { seed, minutes, isJson: values.json, isDryRun: values["dry-run"], isVerbose: values.verbose };
}
