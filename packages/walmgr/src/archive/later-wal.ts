import { type TimelineHistory, timelineAt } from "../wal/timeline-history.ts";
import { foreignFile } from "../wal/wal-error.ts";
import { readWalHeader, walHeaderBytes } from "../wal/wal-header.ts";
import { parseWalName, segmentAt, segmentName, segmentNumber, timelineOf } from "../wal/wal-name.ts";
import { continuedEndAt, isRecordAt, recordEndAt } from "../wal/wal-record.ts";
import type { Archive } from "./archive.ts";

/** of a segment, for a record */
const keptBytes = 64 << 20;
/** two of the largest pages that a server can have: the header of a record that begins on the first one */
const pageBytes = 128 << 10;

/** Whether an archive has WAL of a timeline that goes on at a position: a whole record there, in a finished segment or a begun
 * one.
 * @throws WalError when the archive cannot be read */
export async function hasWalFrom(
  archive: Archive,
  timeline: number,
  lsn: bigint,
  segmentSize: number,
): Promise<boolean> {
  const segment = segmentAt(timeline, lsn, segmentSize);
  const offset = Number(lsn % BigInt(segmentSize));
  const first = await readSegment(archive, segment, offset, keptBytes);
  if (first === undefined) return false;
  const page = offset - (offset % first.blockSize);
  const pages = { start: lsn - BigInt(offset - page), segmentSize, blockSize: first.blockSize };
  if (isRecordAt({ ...pages, bytes: first.bytes }, lsn)) return true;
  // It may go on in the next one.
  const next = segmentName(timeline, segmentNumber(segment, segmentSize) + 1n, segmentSize);
  const second = await readSegment(archive, next, 0, keptBytes);
  return (
    second !== undefined && isRecordAt({ ...pages, bytes: Buffer.concat([first.bytes, second.bytes]) }, lsn)
  );
}

/** A finished segment that begins after a position. */
export interface LaterSegment {
  readonly name: string;
  /** the first one that is needed before it and that the archive does not have as a finished one */
  readonly missing: string | undefined;
}

/** Finds WAL that no record at a position leads to: behind a segment that is missing, or behind a record that is damaged. It
 * belongs to the timeline, or to an ancestor up to where that was left. Segments that hold nothing but the continuation of a
 * record whose end never came are none: nobody could replay them.
 * @param ownNames segments that the server has itself, beside the archive's
 * @throws WalError when the archive cannot be read */
export async function laterSegment(
  archive: Archive,
  history: TimelineHistory,
  lsn: bigint,
  segmentSize: number,
  ownNames: readonly string[] = [],
): Promise<LaterSegment | undefined> {
  const ends = new Map(history.ancestors.map((each) => [each.timeline, each.leftAt]));
  const names = new Map<bigint, string>();
  for (const name of [...ownNames, ...(await archive.list()).map((file) => file.name)]) {
    if (parseWalName(name)?.kind !== "segment") continue;
    const number = segmentNumber(name, segmentSize);
    const end = ends.get(timelineOf(name));
    const isOfHistory =
      end === undefined ? timelineOf(name) === history.timeline : number * BigInt(segmentSize) < end;
    if (isOfHistory) names.set(number, name);
  }
  const later = [...names.keys()]
    .filter((number) => number * BigInt(segmentSize) > lsn)
    .sort((a, b) => (a < b ? -1 : 1));
  let expected = lsn / BigInt(segmentSize);
  for (const number of later) {
    while (expected < number && names.has(expected)) expected++;
    if (expected < number) {
      const timeline = timelineAt(history, expected * BigInt(segmentSize));
      return { name: names.get(number)!, missing: segmentName(timeline, expected, segmentSize) };
    }
  }
  if (later.length === 0) return undefined;
  if (await endsWithinRecord(archive, timelineAt(history, lsn), lsn, segmentSize)) return undefined;
  return { name: names.get(later[0]!)!, missing: undefined };
}

/** Whether a record begins at a position that goes on in the next segments as far as the archive has them, and does not end. */
async function endsWithinRecord(
  archive: Archive,
  timeline: number,
  lsn: bigint,
  segmentSize: number,
): Promise<boolean> {
  const size = BigInt(segmentSize);
  const nameAt = (position: bigint) => segmentAt(timeline, position, segmentSize);
  const offset = Number(lsn % size);
  const first = await readSegment(archive, nameAt(lsn), offset, pageBytes);
  const second = await readSegment(archive, nameAt(lsn + size), 0, pageBytes);
  if (first === undefined || second === undefined) return false;
  const layout = { segmentSize, blockSize: first.blockSize };
  const start = lsn - BigInt(offset % first.blockSize);
  // Where its header runs over the end of a segment, the next one's first page has the rest.
  const bytes = Buffer.concat([first.bytes, second.bytes]);
  const end = recordEndAt({ ...layout, start, bytes }, lsn);
  if (end === undefined) return false;
  const lastPage = end - 1n - ((end - 1n) % BigInt(first.blockSize));
  if (nameAt(lastPage) === nameAt(lsn)) return false;
  for (let at = lsn - (lsn % size) + size; at <= lastPage; at += size) {
    const segment = await readSegment(archive, nameAt(at), 0, pageBytes);
    if (segment === undefined) return true;
    if (continuedEndAt(layout, segment.bytes, at) !== end) return false;
  }
  const last = await readSegment(archive, nameAt(lastPage), Number(lastPage % size), pageBytes);
  return last === undefined || continuedEndAt(layout, last.bytes, lastPage) !== end;
}

/** The part of a segment from the page on that holds an offset, as much of it as is wanted.
 * @throws WalError when it does not begin as a segment does */
async function readSegment(
  archive: Archive,
  segment: string,
  offset: number,
  wantedBytes: number,
): Promise<{ readonly bytes: Buffer; readonly blockSize: number } | undefined> {
  let head = Buffer.alloc(0);
  const parts: Buffer[] = [];
  let blockSize = 0;
  let at = 0;
  let from = 0;
  const isFound = await archive.read(segment, { acceptsPartial: true }, async (chunk) => {
    if (head.length < walHeaderBytes) {
      head = Buffer.concat([head, chunk.subarray(0, walHeaderBytes - head.length)]);
      if (head.length === walHeaderBytes) {
        blockSize = readWalHeader(head)?.blockSize ?? 0;
        if (blockSize === 0) throw foreignFile(`segment ${segment} does not begin with a WAL header`);
        from = offset - (offset % blockSize);
      }
    }
    const part = chunk.subarray(Math.max(0, from - at), Math.max(0, from + wantedBytes - at));
    if (part.length > 0) parts.push(Buffer.from(part));
    at += chunk.length;
  });
  if (!isFound || head.length < walHeaderBytes) return undefined;
  return { bytes: Buffer.concat(parts), blockSize };
}
