import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHistory } from "../wal/timeline-history.ts";
import { historyName, segmentStart, timelineOf } from "../wal/wal-name.ts";

/** The segments of a server's pg_wal that are written to their end. The newest of a timeline is not, and of an ancestor the one that
 * holds the position where it was left, and what may lie there beyond, is not either.
 * @param segments sorted, written at their beginning at least
 * @throws WalError when the newest timeline's history cannot be read */
export function finishedSegments(
  walDirectory: string,
  segments: readonly string[],
  segmentSize: number,
): string[] {
  const begun = segments.at(-1);
  if (begun === undefined) return [];
  const timeline = timelineOf(begun);
  const path = join(walDirectory, historyName(timeline));
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const ends = new Map(parseHistory(timeline, text).ancestors.map((each) => [each.timeline, each.leftAt]));
  const newest = new Map(segments.map((name) => [timelineOf(name), name]));
  return segments.filter((name) => {
    const end = ends.get(timelineOf(name));
    if (end === undefined) return newest.get(timelineOf(name)) !== name;
    return segmentStart(name, segmentSize) + BigInt(segmentSize) <= end;
  });
}
