import { parseArgs } from "node:util";

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  /** After so many minutes in all the run has failed, wherever it is. */
  readonly deadlineMinutes: number;
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
  --minutes M    how long everything is disturbed (default 10)
  --deadline M   minutes in all after which the run is given up, wherever it is (default: 6 more than --minutes)
  --verbose      tell what happens while it does, on standard error
  --dry-run      print the beginning of the schedule, and do nothing
  --json         the summary as JSON
  --help

Exit code: 0 when nothing differs, 1 when something does or does not come to an end in time, or has not been tried, 2 for wrong options.
`;

/** @returns undefined when help was asked for
 * @throws Error for an unknown option or a bad value */
export function parseOptions(args: readonly string[]): ChaosOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string" },
      minutes: { type: "string", default: "10" },
      deadline: { type: "string" },
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
  const minutes = positive("--minutes", values.minutes);
  return {
    seed,
    minutes,
    deadlineMinutes: values.deadline === undefined ? minutes + 6 : positive("--deadline", values.deadline),
    isJson: values.json,
    isDryRun: values["dry-run"],
    isVerbose: values.verbose,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} must be a positive number: ${text}`);
  return value;
}
