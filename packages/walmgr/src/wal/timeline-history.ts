import { formatLsn, parseLsn } from "./lsn.ts";
import { foreignFile } from "./wal-error.ts";

/** One ancestor of a timeline: it was left at a position. */
export interface TimelineFork {
  readonly timeline: number;
  readonly leftAt: bigint;
}

/** A timeline with its ancestors, oldest first. */
export interface TimelineHistory {
  readonly timeline: number;
  readonly ancestors: readonly TimelineFork[];
}

/** Reads a `.history` file. @throws WalError
 * Source: PostgreSQL manual, "Timelines" */
export function parseHistory(timeline: number, text: string): TimelineHistory {
  const lines = text.split("\n").filter((line) => !/^\s*(#|$)/.test(line));
  const ancestors = lines.map((line) => {
    const parts = /^\s*(\d+)\s+([0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8})(?![0-9A-Fa-f])/.exec(line);
    if (parts === null)
      throw foreignFile(`history of timeline ${timeline} has a bad line: ${line.slice(0, 60)}`);
    return { timeline: Number(parts[1]), leftAt: parseLsn(parts[2]!) };
  });
  const isAscending = ancestors.every(
    (each, index) => each.timeline < (ancestors[index + 1]?.timeline ?? timeline),
  );
  if (!isAscending) throw foreignFile(`history of timeline ${timeline} is not in ascending order`);
  return { timeline, ancestors };
}

/** The timeline on which a position was written, as seen from a timeline. */
export function timelineAt(history: TimelineHistory, lsn: bigint): number {
  return history.ancestors.find((each) => lsn < each.leftAt)?.timeline ?? history.timeline;
}

/** Why a server that stands at a position of one timeline cannot follow another one; undefined when it can.
 * A backup from before the fork can be recovered into both branches, one from after it only into its own. */
export function whyUnreachable(
  history: TimelineHistory,
  from: { readonly timeline: number; readonly lsn: bigint },
): string | undefined {
  if (from.timeline === history.timeline) return undefined;
  const fork = history.ancestors.find((each) => each.timeline === from.timeline);
  if (fork === undefined) {
    return `timeline ${history.timeline} does not descend from timeline ${from.timeline}`;
  }
  if (from.lsn <= fork.leftAt) return undefined;
  return (
    `timeline ${history.timeline} left timeline ${from.timeline} at ${formatLsn(fork.leftAt)}, ` +
    `before ${formatLsn(from.lsn)}`
  );
}
