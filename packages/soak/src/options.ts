import { parseArgs } from "node:util";
import { type PartName, partNames } from "./part/parts.ts";

export interface SoakOptions {
  readonly minutes: number;
  readonly parts: readonly PartName[];
  readonly isJson: boolean;
  /** Tell what happens while it does. */
  readonly isVerbose: boolean;
  /** a file for all values */
  readonly samples: string | undefined;
}

export const usage = `usage: npm run test:soak -- [options]

Every daemon in fast motion: ticks and rounds with short pauses only, queues whose tables rotate all the time, connections that are
given up for new ones and cut, configurations and logs read and opened anew, tables copied again and again. Meanwhile it is
measured what processes, servers and directories have, and at the end nothing may have become more.

  --minutes M    how long, from when every daemon is at work (default 10)
  --only LIST    parts, separated by commas: ${partNames.join(", ")} (default: all; the ticker is always there)
  --verbose      tell what happens while it does, on standard error
  --json         the figures as JSON
  --samples FILE write each series there, a line of JSON each: where a figure grows, it shows when and how
  --help

The first quarter of the run is warm-up. Of the rest, the last third is compared with the first: a figure grows when its lowest
tenth, lower quartile, median, upper quartile and highest tenth all begin higher than before. Of resident memory a tenth and 6 MB more are allowed,
of heap and buffers after a garbage collection a twentieth and 1 MB, of the server processes' own memory a tenth and 2 MB, of
the servers' files one in fifty and ten; of open files, sockets, connections, locks, tables, child processes, timers and
warnings not one. A daemon that has ended, or done nothing in the last third, fails the run, too.

Exit code: 0 when nothing grows, 1 when something does or a daemon fails, 2 for wrong options, 3 when the run was too short to
say (less than about a minute). Needs Linux.
`;

/** @returns undefined when help was asked for
 * @throws Error for an unknown option or a bad value */
export function parseOptions(args: readonly string[]): SoakOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "10" },
      only: { type: "string" },
      verbose: { type: "boolean", short: "v", default: false },
      json: { type: "boolean", default: false },
      samples: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes must be a positive number: ${values.minutes}`);
  const parts = values.only === undefined ? partNames : values.only.split(",").map(knownPart);
  return { minutes, parts, isJson: values.json, isVerbose: values.verbose, samples: values.samples };
}

function knownPart(text: string): PartName {
  const name = partNames.find((each) => each === text.trim());
  if (name === undefined) throw new Error(`--only: no part "${text}"; there are ${partNames.join(", ")}`);
  return name;
}
