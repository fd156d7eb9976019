import { parseArgs } from "node:util";

export interface DemoOptions {
  /** Rows of the accounts table; the others follow from it. */
  readonly accounts: number;
  readonly writers: number;
  /** How long the load runs while changes are replayed. */
  readonly loadSeconds: number;
  readonly seed: number;
  /** Leave servers, daemons and writers' data as they are at the end. */
  readonly isKept: boolean;
}

export const usage = `usage: npm run demo -- [options]

Replicates a bank's tables live between two PostgreSQL servers, with the real commands.

  --rows N       rows of the accounts table (default 1000000)
  --scale N      the same, in units of 100000, as pgbench counts
  --writers N    connections that change data all the time (default 4)
  --seconds N    how long the load runs after the copy (default 10)
  --seed N       series of random changes (default 1)
  --keep         leave everything running, say how to connect and how to stop it
  --help
`;

/** @returns undefined when help was asked for
 * @throws Error for an unknown option or a bad value */
export function parseOptions(args: readonly string[]): DemoOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: "string" },
      scale: { type: "string" },
      writers: { type: "string", default: "4" },
      seconds: { type: "string", default: "10" },
      seed: { type: "string", default: "1" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const scale = positive("scale", values.scale ?? "10");
  return {
    accounts: values.rows === undefined ? scale * 100_000 : positive("rows", values.rows),
    writers: positive("writers", values.writers),
    loadSeconds: positive("seconds", values.seconds),
    seed: positive("seed", values.seed),
    isKept: values.keep,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} must be a positive number: ${text}`);
  return value;
}
