import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import fc from "fast-check";
import { rebuildFile } from "#src/restore/combine-sets.js";
import { WalError } from "#src/wal/wal-error.js";

const blockBytes = 8192;

/** A file as pg_basebackup's incremental form has it: block number to its byte. */
function incremental(blocks: ReadonlyMap<number, number>, length: number): Buffer {
  const head = Buffer.alloc(12 + blocks.size * 4);
  head.writeUInt32LE(0xd3ae1f0d, 0);
  head.writeUInt32LE(blocks.size, 4);
  head.writeUInt32LE(length, 8);
  for (const [index, number] of [...blocks.keys()].entries()) head.writeUInt32LE(number, 12 + index * 4);
  const padding = blocks.size === 0 ? 0 : (blockBytes - (head.length % blockBytes)) % blockBytes;
  const content = [...blocks.values()].map((byte) => Buffer.alloc(blockBytes, byte));
  return Buffer.concat([head, Buffer.alloc(padding), ...content]);
}

const step = fc
  .record({
    changed: fc.uniqueArray(fc.tuple(fc.nat(6), fc.integer({ min: 1, max: 255 })), {
      selector: ([number]) => number,
      maxLength: 5,
    }),
    length: fc.nat(7),
  })
  .map(({ changed, length }) => ({
    changed,
    length: Math.max(length, ...changed.map(([number]) => number + 1)),
  }));

test("incremental files over a full one give the file that the server had", async () => {
  await using directory = await temporaryDirectory("combine");
  const places = ["0", "1", "2"].map((name) => join(directory.path, name));
  for (const place of places) mkdirSync(place);
  const result = join(directory.path, "result");
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 6 }),
      step,
      step,
      (full, older, newer) => {
        let expected = [...full];
        for (const { changed, length } of [older, newer]) {
          expected = Array.from({ length }, (_unused, number) => expected[number] ?? 0);
          for (const [number, byte] of changed) expected[number] = byte;
        }
        // What a table lost before it grew again is among the blocks that changed.
        if (expected.some((byte, number) => byte === 0 && number >= older.length && number < full.length))
          return;
        writeFileSync(
          join(places[2]!, "1"),
          Buffer.concat(full.map((byte) => Buffer.alloc(blockBytes, byte))),
        );
        writeFileSync(join(places[1]!, "INCREMENTAL.1"), incremental(new Map(older.changed), older.length));
        writeFileSync(join(places[0]!, "INCREMENTAL.1"), incremental(new Map(newer.changed), newer.length));
        rmSync(result, { force: true });
        rebuildFile(places, "INCREMENTAL.1", result);
        const found = readFileSync(result);
        assert.deepEqual(
          expected,
          Array.from({ length: found.length / blockBytes }, (_unused, number) => found[number * blockBytes]),
        );
      },
    ),
    { numRuns: 100 },
  );
});

test("an incremental file that says more than it holds is refused, and takes neither memory nor disk", async () => {
  await using directory = await temporaryDirectory("combine");
  const [newest, oldest] = ["0", "1"].map((name) => join(directory.path, name)) as [string, string];
  mkdirSync(newest);
  mkdirSync(oldest);
  writeFileSync(join(oldest, "1"), Buffer.alloc(blockBytes));
  const good = incremental(new Map([[0, 1]]), 1);
  const changed = (at: number, value: number) => {
    const bytes = Buffer.from(good);
    bytes.writeUInt32LE(value, at);
    return bytes;
  };
  for (const [what, bytes] of [
    ["too many blocks", changed(4, 0xffffffff)],
    ["one block more", changed(4, 2)],
    ["too long", changed(8, 0xffffffff)],
    ["a block far away", changed(12, 0xffffffff)],
    ["another beginning", changed(0, 1)],
    ["cut", good.subarray(0, good.length - 1)],
    ["empty", Buffer.alloc(0)],
  ] as const) {
    writeFileSync(join(newest, "INCREMENTAL.1"), bytes);
    const rebuild = () => rebuildFile([newest, oldest], "INCREMENTAL.1", join(directory.path, "result"));
    assert.throws(rebuild, WalError, what);
  }
});
