import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Statistics } from "#src/index.js";

test("the line is what log aggregation parses, in the order of first use", () => {
  const statistics = new Statistics();
  statistics.put("count", 3);
  statistics.putFloat("duration", 2);
  statistics.increase("seen");
  statistics.increase("count", 2);
  statistics.increase("seen", 4n);
  statistics.put("ratio", 0.1234);
  statistics.put("table", "public.t");
  statistics.increaseFloat("copied", 1);
  statistics.increaseFloat("copied", 1);
  assert.equal(statistics.get("count"), 5);
  assert.deepEqual(statistics.take(), {
    line: "{count: 5, duration: 2.0, seen: 5, ratio: 0.1234, table: public.t, copied: 2.0}",
    fields: { count: 5, duration: 2, seen: 5n, ratio: 0.1234, table: "public.t", copied: 2 },
  });
  assert.equal(statistics.take(), undefined);
});

test("text cannot be increased", () => {
  const statistics = new Statistics();
  statistics.put("a", "x");
  assert.throws(() => statistics.increase("a"), TypeError);
});

test("figures never have an exponent and read back to the same number (property)", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), (value, isFraction) => {
      const statistics = new Statistics();
      if (isFraction) statistics.putFloat("x", value);
      else statistics.put("x", value);
      const text = /^\{x: (.*)\}$/.exec(statistics.take()!.line)![1]!;
      assert.match(text, /^-?\d+(\.\d+)?$/);
      assert.equal(Number(text), value + 0);
      assert.equal(text.includes("."), isFraction || !Number.isInteger(value));
    }),
  );
});
