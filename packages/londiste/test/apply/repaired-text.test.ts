import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzRuns } from "@skytools/testbed";
import fc from "fast-check";
import { classifyEventType } from "#src/apply/event-kind.js";
import { RepairedText } from "#src/apply/repaired-text.js";
import { silentLog } from "../fixture/apply-bench.js";

const kind = classifyEventType("I:id");
assert.ok(kind.kind === "row");

function repairedValue(data: string): string | null | undefined {
  assert.ok(kind.kind === "row");
  const raw = { type: "I:id", extra1: "t", id: "1", txid: "1", isRetried: false, more: "\\N", data };
  return new RepairedText(silentLog).rowEvent(raw, kind, "t").row().get("v");
}

const escaped = (bytes: Uint8Array) =>
  [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

test("bytes that are no UTF-8 become U+FFFD, all others stay, whatever stands between them", () => {
  const part = fc.oneof(fc.uint8Array({ maxLength: 6 }), fc.constantFrom("%", "a", "%z", "%4"));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const data = parts.map((each) => (typeof each === "string" ? each : escaped(each))).join("");
      const pieces = data.split(/((?:%[0-9a-f]{2})+)/);
      const expected = pieces.map((each, nr) =>
        nr % 2 === 1 ? Buffer.from(each.replaceAll("%", ""), "hex").toString("utf8") : each,
      );
      assert.equal(repairedValue(`id=1&v=${data}`), expected.join(""));
    }),
    fuzzRuns,
  );
});
