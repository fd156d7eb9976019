import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { laterSegment } from "#src/archive/later-wal.js";
import { LocalArchive } from "#src/archive/local-archive.js";
import { segmentName } from "#src/wal/wal-name.js";
import { testSegmentSize, walFile } from "../fixture/wal-file.js";

const size = BigInt(testSegmentSize);
const name = (timeline: number, number: bigint) => segmentName(timeline, number, testSegmentSize);

test("WAL behind a missing segment is found, and so is WAL behind whole ones; other timelines do not count", async () => {
  await using directory = await temporaryDirectory("walmgr");
  const options = { partialDirectory: directory.path, codec: "none", parallelFiles: 1 } as const;
  const archive = new LocalArchive({ directory: directory.path, ...options });
  // Timeline 1 went on after timeline 2 had left it within segment 5.
  const add = (segment: string) => writeFile(join(directory.path, segment), walFile(segment, { fill: 0 }));
  for (const number of [3n, 4n, 5n, 6n, 7n]) await add(name(1, number));
  for (const number of [5n, 8n]) await add(name(2, number));
  await writeFile(join(directory.path, `${name(2, 9n)}.partial`), "");
  const first = { timeline: 1, ancestors: [] };
  const second = { timeline: 2, ancestors: [{ timeline: 1, leftAt: 5n * size + 100n }] };
  const find = (history: typeof first | typeof second, lsn: bigint) =>
    laterSegment(archive, history, lsn, testSegmentSize);

  assert.deepEqual(await find(second, 3n * size + 8n), { name: name(2, 8n), missing: name(2, 6n) });
  assert.deepEqual(await find(second, 6n * size), { name: name(2, 8n), missing: name(2, 6n) });
  assert.equal(await find(second, 8n * size), undefined, "that segment itself is looked into");
  assert.deepEqual(await find(first, 2n * size + 8n), { name: name(1, 3n), missing: name(1, 2n) });
  assert.deepEqual(await find(first, 4n * size + 8n), { name: name(1, 5n), missing: undefined });
  assert.equal(await find(first, 7n * size + 8n), undefined);
});

const blockSize = 8192;

/** Segments with a record that begins at a position and fills whole pages up to its end, as the server lays them out. */
function segmentsWithRecord(lsn: bigint, length: number): Buffer[] {
  const first = lsn / size;
  const segments: Buffer[] = [];
  let missing = length;
  for (let number = first; missing > 0; number++) {
    const segment = walFile(name(1, number), { fill: 0 });
    const start = number === first ? Number(lsn % size) : 0;
    for (let page = start - (start % blockSize); page < testSegmentSize && missing > 0; page += blockSize) {
      const header = page === 0 ? 40 : 24;
      segment.writeUInt16LE(0xd118, page);
      segment.writeBigUInt64LE(number * size + BigInt(page), page + 8);
      const from = number === first && page <= start ? start : page + header;

      if (missing < length) {
        segment.writeUInt16LE(page === 0 ? 3 : 1, page + 2);
        segment.writeUInt32LE(missing, page + 16);
      } else {
        segment.writeUInt32LE(length, from);
        segment.writeBigUInt64LE(lsn - 100n, from + 8);
      }
      missing -= Math.min(missing, page + blockSize - from);
    }
    segments.push(segment);
  }
  return segments;
}

test("segments of a record whose end never came are nothing that could be replayed; everything else after it is", async () => {
  await using directory = await temporaryDirectory("walmgr");
  const partialDirectory = join(directory.path, "partial");
  await mkdir(partialDirectory);
  const archive = new LocalArchive({
    directory: directory.path,
    partialDirectory,
    codec: "none",
    parallelFiles: 1,
  });
  const lsn = 3n * size + BigInt(testSegmentSize - 5000);
  const segments = segmentsWithRecord(lsn, 2 * testSegmentSize + 100_000);
  assert.equal(segments.length, 4);
  const path = (number: number) => join(directory.path, name(1, BigInt(number)));
  const find = () => laterSegment(archive, { timeline: 1, ancestors: [] }, lsn, testSegmentSize);
  for (const [index, segment] of segments.slice(0, 3).entries()) await writeFile(path(3 + index), segment);
  assert.equal(await find(), undefined);

  // The begun segment: without and with the end of the record.
  const begun = join(partialDirectory, `${name(1, 6n)}.partial`);
  await writeFile(
    begun,
    Buffer.concat([segments[3]!.subarray(0, blockSize), Buffer.alloc(testSegmentSize - blockSize)]),
  );
  assert.equal(await find(), undefined);
  await writeFile(begun, segments[3]!);
  assert.deepEqual(await find(), { name: name(1, 4n), missing: undefined });

  // What was there before the record got its end is not its continuation.
  await rm(begun);
  await writeFile(path(5), walFile(name(1, 5n)));
  assert.deepEqual(await find(), { name: name(1, 4n), missing: undefined });
  await rm(path(5));
  await writeFile(path(6), segments[3]!);
  assert.deepEqual(await find(), { name: name(1, 6n), missing: name(1, 5n) });
});
