import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatLsn, parseLsn } from "#src/wal/lsn.js";
import { byArchiveOrder, parseWalName, segmentAt, segmentName, segmentNumber } from "#src/wal/wal-name.js";

const mib = 1 << 20;

test("segment names follow from positions", () => {
  assert.equal(segmentAt(1, parseLsn("0/9000028"), 16 * mib), "000000010000000000000009");
  assert.equal(segmentAt(1, parseLsn("1/0"), 64 * mib), "000000010000000100000000");
  assert.equal(segmentAt(1, parseLsn("0/FF000000"), 16 * mib), "0000000100000000000000FF");
  const last = segmentNumber("0000000100000000000000FF", 16 * mib);
  assert.equal(segmentName(1, last + 1n, 16 * mib), "000000010000000100000000");
  assert.equal(segmentAt(1, parseLsn("0/C0000000"), 1024 * mib), "000000010000000000000003");
});

test("positions survive being written and read", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (lsn) => {
      assert.equal(parseLsn(formatLsn(lsn)), lsn);
    }),
  );
});

test("segment numbers and names are inverse for every segment size", () => {
  const sizes = fc.constantFrom(1, 2, 16, 64, 1024).map((size) => size * mib);
  fc.assert(
    fc.property(sizes, fc.bigInt({ min: 0n, max: 1n << 40n }), (size, lsn) => {
      const number = lsn / BigInt(size);
      assert.equal(segmentNumber(segmentName(7, number, size), size), number);
    }),
  );
});

test("only names that PostgreSQL gives are taken for WAL files", () => {
  const segment = "00000001000000000000000A";
  assert.deepEqual(parseWalName(segment), { kind: "segment", timeline: 1, segment });
  assert.equal(parseWalName(`${segment}.partial`)?.kind, "partial");
  assert.equal(parseWalName(`${segment}.00000028.backup`)?.kind, "backup");
  assert.deepEqual(parseWalName("0000000C.history"), { kind: "history", timeline: 12 });
  for (const bad of [
    "",
    ".",
    "..",
    "../x",
    `${segment}/x`,
    `x${segment}`,
    `${segment}.gz`,
    `${segment}\n`,
    "archive.json",
  ]) {
    assert.equal(parseWalName(bad), undefined, bad);
  }
});

test("a name that is accepted never leaves its directory", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      if (parseWalName(text) !== undefined) assert.match(text, /^[0-9A-Za-z.]+$/);
    }),
  );
});

test("histories come first, then files by name", () => {
  const names = ["000000020000000000000001", "00000002.history", "000000010000000000000009"];
  assert.deepEqual(names.toSorted(byArchiveOrder), [
    "00000002.history",
    "000000010000000000000009",
    "000000020000000000000001",
  ]);
});
