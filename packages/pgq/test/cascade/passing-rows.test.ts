import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copyRow } from "@skytools/skytools";
import fc from "fast-check";
import { PassingRows } from "#src/cascade/passing-rows.js";

const event = fc.record({
  type: fc.oneof(fc.constantFrom(null, "pgq.tick-id", "pgq.", "pgq", "I:id", "x\npgq."), fc.string()),
  data: fc.oneof(fc.constantFrom(null, "\npgq.location-info", "a\n9", "\t7\n"), fc.string()),
  id: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
});

describe("what is learnt from rows on their way", () => {
  it("is what parsing them would tell, wherever they are cut", () => {
    fc.assert(
      fc.property(fc.array(event), fc.array(fc.nat({ max: 60 })), (rows, sizes) => {
        const passing = new PassingRows();
        for (const piece of pieces(Buffer.from(rows.map(copyLine).join("")), sizes)) passing.take(piece);
        const [highest = 0n] = rows.map(({ id }) => id).sort((a, b) => (a < b ? 1 : -1));
        assert.equal(passing.highestEventId, highest);
        assert.equal(
          passing.hasCascadeEvents,
          rows.some(({ type }) => type?.startsWith("pgq.") === true),
        );
      }),
      { numRuns: 500 },
    );
  });
});

function copyLine({ type, data, id }: { type: string | null; data: string | null; id: bigint }): string {
  return copyRow([type, data, String(id)]);
}

function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    if (size > 0 && at < bytes.length) yield bytes.subarray(at, at + size);
    at += size;
  }
  if (at < bytes.length) yield bytes.subarray(at);
}
