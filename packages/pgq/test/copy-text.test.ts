import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copyRow } from "@skytools/skytools";
import fc from "fast-check";
import { CopyTextRows, eventFromCopyLine, type PgqEvent } from "#src/index.js";

const nullableText = fc.option(fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")));

const anyEvent: fc.Arbitrary<PgqEvent> = fc.record(
  {
    id: fc.bigInt(1n, 2n ** 63n - 1n),
    time: fc.constant("2024-05-01 12:00:00.123456+02"),
    txid: fc.bigInt(1n, 2n ** 63n - 1n),
    retry: fc.option(fc.integer({ min: 0, max: 9 })),
    type: nullableText,
    data: nullableText,
    extra1: nullableText,
    extra2: nullableText,
    extra3: nullableText,
    extra4: nullableText,
  },
  { noNullPrototype: true },
);

function asCopyRow(event: PgqEvent): string {
  const { id, time, txid, retry, type, data, extra1, extra2, extra3, extra4 } = event;
  const retryText = retry === null ? null : String(retry);
  return copyRow([String(id), time, String(txid), retryText, type, data, extra1, extra2, extra3, extra4]);
}

describe("reading events from a COPY stream", () => {
  it("gives back what was written, however the stream is cut into chunks", () => {
    const property = fc.property(
      fc.array(anyEvent, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 })),
      (events, cuts) => {
        const stream = Buffer.from(events.map(asCopyRow).join(""), "utf8");
        const rows = new CopyTextRows();
        const lines: string[] = [];
        let start = 0;
        for (const size of [...cuts, stream.length]) {
          lines.push(...rows.take(stream.subarray(start, start + size)));
          start += size;
        }
        assert.deepEqual(lines.map(eventFromCopyLine), events);
      },
    );
    fc.assert(property);
  });

  it("keeps a multi-byte character that two chunks share", () => {
    const bytes = Buffer.from("1\t\u00e4\n", "utf8");
    const rows = new CopyTextRows();
    assert.deepEqual(rows.take(bytes.subarray(0, 3)), []);
    assert.deepEqual(rows.take(bytes.subarray(3)), ["1\t\u00e4"]);
  });
});
