import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { urlDecodeRow, urlEncodeRow } from "#src/index.js";

const decoded = (text: string) => [...urlDecodeRow(text)];

test("encoding is bit for bit that of the server's triggers", () => {
  assert.equal(urlEncodeRow({ id: "1", name: null, note: "" }), "id=1&name&note=");
  assert.equal(urlEncodeRow({ "a b": "x&y=z" }), "a+b=x%26y%3dz");
  assert.equal(
    urlEncodeRow({ k: "AZaz09_.-~!*'()/+%é€" }),
    "k=AZaz09_.-%7e%21%2a%27%28%29%2f%2b%25%c3%a9%e2%82%ac",
  );
  assert.equal(
    urlEncodeRow(
      new Map([
        ["b", "\n"],
        ["a", "😀"],
      ]),
    ),
    "b=%0a&a=%f0%9f%98%80",
  );
  assert.equal(urlEncodeRow({}), "");
});

test("decoding tells null from empty, skips empty pieces, lets the last key win", () => {
  assert.deepEqual(decoded("a=b&c&b="), [
    ["a", "b"],
    ["c", null],
    ["b", ""],
  ]);
  assert.deepEqual(decoded("&&a=1&&a=2&"), [["a", "2"]]);
  assert.deepEqual(decoded("a=x=y"), [["a", "x=y"]]);
  assert.deepEqual(decoded("a+b=%C3%a9+%2B%00"), [["a b", "é +\0"]]);
  assert.deepEqual(decoded("a=100%&b=%zz%4"), [
    ["a", "100%"],
    ["b", "%zz%4"],
  ]);
  assert.deepEqual(decoded(""), []);
});

test("bytes that are not UTF-8 are refused, not damaged", () => {
  assert.throws(() => urlDecodeRow("a=%e9"), /not valid UTF-8/);
  assert.deepEqual(decoded("a=%ef%bb%bfx"), [["a", "\u{feff}x"]]);
});

test("any row survives", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.option(text))), (pairs) => {
      const row = new Map(pairs.filter(([key, value]) => key !== "" || value !== null));
      assert.deepEqual(urlDecodeRow(urlEncodeRow(row)), row);
    }),
  );
});
