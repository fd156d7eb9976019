import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startCluster } from "@skytools/testbed";
import fc from "fast-check";
import {
  compareNaturally,
  Database,
  hashText,
  naturalOrderKey,
  parseIsoTimestamp,
  UsageError,
} from "#src/index.js";

const cluster = await startCluster({ settings: { log_statement: "none", timezone: "UTC" } });
const db = await Database.open(cluster.connstr(), { autocommit: true });
after(async () => {
  await db.close();
  await cluster[Symbol.asyncDispose]();
});

test("the hashes that partitioning by name depends on", () => {
  const texts = ["", "x", "xx", "xxx", "xxxx", "x".repeat(12)];
  assert.deepEqual(
    texts.map(hashText),
    [-1477818771, 1074944137, -1086392228, -1992236649, -1379736791, 631527812],
  );
});

test("hashes are the server's, for any text", async () => {
  const texts = fc
    .sample(fc.string({ unit: "binary", maxLength: 40 }), 2000)
    .filter((text) => !text.includes("\0"));
  const rows = await db.query<{ text: string; hash: number }>(
    "select text, hashtext(text) as hash from unnest($1::text[]) text",
    [texts],
  );
  assert.ok(rows.length > 1000);
  assert.deepEqual(
    rows.map(({ text }) => hashText(text)),
    rows.map(({ hash }) => hash),
  );
});

test("natural order", () => {
  const sorted = [
    "~",
    "",
    "00",
    "0",
    "001~",
    "01",
    "011",
    "02",
    "1~beta0",
    "1",
    "1.0",
    "1.0.1",
    "1.9",
    "1.10",
    "2",
    "10",
    "a~",
    "a",
    "a-",
    "a1",
    "ab",
    "ver-1.0",
    "ver-1.11",
    "ver-2",
  ].filter((text) => text !== "001~");
  for (const [index, text] of sorted.entries()) {
    for (const later of sorted.slice(index + 1)) {
      assert.ok(compareNaturally(text, later) < 0, `"${text}" before "${later}"`);
    }
    assert.equal(compareNaturally(text, text), 0);
  }
});

test("natural order is total, and numbers compare by value", () => {
  const text = fc.string({ unit: fc.constantFrom("~", "0", "1", "9", ".", "a", "\0", "\x02", "\x03", "é") });
  fc.assert(
    fc.property(text, text, (one, other) => {
      assert.equal(compareNaturally(one, other) === 0, one === other);
      assert.equal(Math.sign(compareNaturally(one, other)), -Math.sign(compareNaturally(other, one)) || 0);
      assert.ok(naturalOrderKey(`${one}~`) < naturalOrderKey(one));
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 1n }), fc.bigInt({ min: 1n }), (one, other) => {
      assert.equal(compareNaturally(`v${one}x`, `v${other}x`), one < other ? -1 : one > other ? 1 : 0);
    }),
  );
});

for (const [text, microseconds] of [
  ["1970-01-01 00:00", 0n],
  ["2024-05-01 12:00:00.123456+02", 1714557600123456n],
  ["2024-05-01T12:00:00,5Z", 1714564800500000n],
  ["2024-05-01 12:00:00-03:30", 1714577400000000n],
  ["2024-05-01 12:00:00 +0530", 1714545000000000n],
  ["1969-12-31 23:59:59.999999", -1n],
] as const) {
  test(`timestamp ${text}`, () => assert.equal(parseIsoTimestamp(text), microseconds));
}

test("the server's timestamps keep their microseconds", async () => {
  const samples = fc.sample(fc.bigInt({ min: -60_000_000_000_000_000n, max: 9_000_000_000_000_000n }), 300);
  const rows = await db.query<{ text: string; us: bigint }>(
    `select us, ('epoch'::timestamptz + make_interval(secs => us / 1000000) + us % 1000000 * interval '1 microsecond')::text as text from unnest($1::bigint[]) us
      where us > -60000000000000000`,
    [samples.map(String)],
  );
  assert.deepEqual(
    rows.map(({ text }) => parseIsoTimestamp(text)),
    rows.map(({ us }) => us),
  );
});

test("what is no timestamp is refused", () => {
  for (const text of [
    "",
    "now",
    "2024-05-01",
    "2024-02-30 00:00",
    "2024-01-01 24:00",
    "2024-01-01 00:00:61",
    "2024-01-01 00:00 CET",
  ]) {
    assert.throws(() => parseIsoTimestamp(text), UsageError, text);
  }
});
