import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { PrimaryDirectory } from "../fixture/primary-directory.js";
import { testSegmentSize, walFile } from "../fixture/wal-file.js";

const segment = (timeline: number, number: number) =>
  `0000000${timeline}00000000${number.toString(16).toUpperCase().padStart(8, "0")}`;

test("sync brings a segment that is missing in the middle of the archive, and one of a former timeline", async () => {
  await using primary = await PrimaryDirectory.create();
  // Left in the middle of segment 5, whose rest on timeline 1 is nobody's.
  const fork = `0/${(5 * testSegmentSize + 4096).toString(16).toUpperCase()}`;
  const contents = new Map<string, Buffer | string>([
    ...[1, 2, 3, 4, 5, 6].map((number) => [segment(1, number), walFile(segment(1, number))] as const),
    ["00000002.history", `1\t${fork}\tno recovery target specified\n`],
    ...[5, 6, 7].map((number) => [segment(2, number), walFile(segment(2, number))] as const),
  ]);
  const archivedBefore = [segment(1, 1), segment(1, 2), segment(1, 4), segment(2, 6)];
  for (const [name, content] of contents) await primary.addWal(name, content);
  // Recycled: it carries the name of WAL that is not written yet.
  await primary.addWal(segment(2, 8), walFile(segment(1, 2)));
  for (const name of archivedBefore) {
    const { code, stderr } = await primary.xarchive(name);
    assert.equal(code, 0, stderr);
  }

  const told = await primary.walmgr(["sync", "--dry-run"]);
  const lacking = ["00000002.history", segment(1, 3), segment(2, 5)];
  for (const name of lacking) assert.match(told.stdout + told.stderr, new RegExp(`archive ${name}`));
  const { code, stderr } = await primary.walmgr(["sync"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, new RegExp(`Archived 3 files; begun segment: ${segment(2, 7)}`));
  const stored = (await readdir(join(primary.archive, "logs.complete"))).filter((name) => contents.has(name));
  assert.deepEqual(stored.sort(), [...archivedBefore, ...lacking].sort());
  for (const name of stored) {
    const wanted = contents.get(name)!;
    assert.deepEqual(
      await readFile(primary.stored(name)),
      typeof wanted === "string" ? Buffer.from(wanted) : wanted,
      name,
    );
  }
  assert.deepEqual(await readdir(join(primary.archive, "logs.partial")), [segment(2, 7)]);
});
