import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { laterSegment } from "#src/archive/later-wal.js";
import { LocalArchive } from "#src/archive/local-archive.js";
import { segmentName } from "#src/wal/wal-name.js";
import { testSegmentSize } from "../fixture/wal-file.js";

const size = BigInt(testSegmentSize);
const name = (timeline: number, number: bigint) => segmentName(timeline, number, testSegmentSize);

test("WAL behind a missing segment is found, and so is WAL behind whole ones; other timelines do not count", async () => {
  await using directory = await temporaryDirectory("walmgr");
  const options = { partialDirectory: directory.path, codec: "none", parallelFiles: 1 } as const;
  const archive = new LocalArchive({ directory: directory.path, ...options });
  // Timeline 1 went on after timeline 2 had left it within segment 5.
  for (const number of [3n, 4n, 5n, 6n, 7n]) await writeFile(join(directory.path, name(1, number)), "");
  for (const number of [5n, 8n]) await writeFile(join(directory.path, name(2, number)), "");
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
