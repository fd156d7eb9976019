import type { TimelineHistory } from "../wal/timeline-history.ts";
import { parseWalName, segmentName, segmentNumber, timelineOf } from "../wal/wal-name.ts";

/** Segments that must have been there: all from `first` to `last`, both inclusive. */
export interface WalGap {
  readonly timeline: number;
  readonly first: string;
  readonly last: string;
  readonly count: number;
}

/** The segments that are missing between those that are there, and where a timeline leaves its parent.
 * @param names files of an archive
 * @param from segments before this number may be gone
 * @param histories of the timelines that have one in the archive */
export function findGaps(
  names: readonly string[],
  segmentSize: number,
  from: bigint,
  histories: readonly TimelineHistory[],
): WalGap[] {
  const numbers = new Map<number, Set<bigint>>();
  for (const name of names) {
    const parsed = parseWalName(name);
    // The end of a timeline that was left in the middle of a segment.
    if (parsed?.kind !== "segment" && parsed?.kind !== "partial") continue;
    const timeline = timelineOf(parsed.segment);
    const known = numbers.get(timeline) ?? new Set();
    numbers.set(timeline, known.add(segmentNumber(parsed.segment, segmentSize)));
  }
  return [...numbers.keys()]
    .sort((a, b) => a - b)
    .flatMap((timeline) => {
      const known = numbers.get(timeline)!;
      const fork = histories.find((each) => each.timeline === timeline)?.ancestors.at(-1);
      const sorted = [...known].sort((a, b) => (a < b ? -1 : 1));
      const begin = fork === undefined ? sorted[0]! : fork.leftAt / BigInt(segmentSize);
      return missingRuns(sorted, begin > from ? begin : from).map(([first, last]) => ({
        timeline,
        first: segmentName(timeline, first, segmentSize),
        last: segmentName(timeline, last, segmentSize),
        count: Number(last - first) + 1,
      }));
    });
}

/** @param sorted numbers that are there, ascending */
function missingRuns(sorted: readonly bigint[], begin: bigint): [bigint, bigint][] {
  const runs: [bigint, bigint][] = [];
  let expected = begin;
  for (const number of sorted) {
    if (number < begin) continue;
    if (number > expected) runs.push([expected, number - 1n]);
    expected = number + 1n;
  }
  return runs;
}

/** `000...A` or `000...A to 000...C (3 segments)`. */
export function describeGap({ first, last, count }: WalGap): string {
  return count === 1 ? `segment ${first} is missing` : `segments ${first} to ${last} are missing (${count})`;
}
