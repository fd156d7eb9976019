import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import fc from "fast-check";
import { printJson, toJson } from "#src/index.js";

test("bigint keeps all its digits, Map and Set are objects and arrays, undefined is left out", () => {
  assert.equal(
    toJson({ id: 2n ** 63n, none: undefined, nil: null }),
    '{"id":9223372036854775808,"nil":null}',
  );
  assert.equal(
    toJson(
      new Map<unknown, unknown>([
        ["k", new Set([1, "a"])],
        [2n, []],
      ]),
    ),
    '{"k":[1,"a"],"2":[]}',
  );
  assert.equal(toJson([undefined, () => 1, new Date(0)]), '[null,null,"1970-01-01T00:00:00.000Z"]');
  assert.equal(toJson(undefined), "null");
});

test("all else is as JSON.stringify writes it, indented or not", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
      assert.equal(toJson(value, indent), JSON.stringify(value, null, indent));
    }),
  );
});

test("printJson writes one document and a line end", async () => {
  const stream = new PassThrough();
  printJson(stream, { lag: 1n });
  stream.end();
  assert.equal(await text(stream), '{\n  "lag": 1\n}\n');
});
