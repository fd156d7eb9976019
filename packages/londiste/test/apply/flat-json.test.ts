import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzRuns } from "@skytools/testbed";
import fc from "fast-check";
import { parseFlatJson, parseRawJson } from "#src/apply/flat-json.js";

/** What a column of an event reads as; nested values are JSON text, of whatever blanks. */
function textOf(value: unknown): string | null {
  return value === null || typeof value === "string" ? value : JSON.stringify(value);
}

const value = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(null, true, false, 0, -1, 12.5, 1e21, 1.5e-7),
  fc.jsonValue({ maxDepth: 3 }),
);
const row = fc.dictionary(fc.string({ unit: "binary" }), value, { noNullPrototype: true });

test("rows come back, whatever their names and values are", () => {
  fc.assert(
    fc.property(row, fc.constantFrom(undefined, 1, "\t"), (columns, indent) => {
      const json = JSON.stringify(columns, null, indent);
      const members = new Map(Object.entries(JSON.parse(json) as Record<string, unknown>));
      const [found, raw] = [parseFlatJson(json), parseRawJson(json)];
      assert.deepEqual([...found.keys()].toSorted(), [...members.keys()].toSorted());
      for (const [name, each] of members) {
        const text = found.get(name)!;
        const isNested = typeof each === "object" && each !== null;
        assert.equal(isNested ? JSON.stringify(JSON.parse(text!)) : text, textOf(each));
        assert.deepEqual(JSON.parse(raw.get(name)!), each);
      }
    }),
    fuzzRuns,
  );
});

test("whatever is read is JSON", () => {
  const piece = fc.constantFrom(
    '{"a":',
    "}",
    "{",
    "[",
    "]",
    ",",
    ":",
    '"',
    '"x"',
    "1",
    "-",
    ".",
    "e5",
    "0",
    "null",
    "true",
    " ",
    "\\u00e9",
    "\\",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = `{"a":${pieces.join("")}}`;
      let found: ReadonlyMap<string, string | null>;
      try {
        found = parseFlatJson(text);
      } catch {
        return;
      }
      assert.deepEqual([...found.keys()], Object.keys(JSON.parse(text) as object), text);
    }),
    { ...fuzzRuns, numRuns: fuzzRuns.numRuns * 10 },
  );
});

test("numbers and nested values that are no JSON are refused", () => {
  for (const bad of ["01", "1.", ".5", "1e", "1-2", "+1", "--1", "{b c}", "[}", "[1,]", '{"x":}'])
    assert.throws(() => parseFlatJson(`{"a":${bad}}`), { code: "EVENT_DATA" }, bad);
  assert.equal(parseFlatJson('{"a":-0.5E+10}').get("a"), "-0.5E+10");
});

test("half a character is refused, as the server does, and not written as another one", () => {
  for (const bad of ["\\ud83d", "\\ude00", "x\\ude00\\ud83d"])
    assert.throws(() => parseFlatJson(`{"a":"${bad}"}`), { code: "EVENT_DATA" }, bad);
  assert.equal(parseFlatJson('{"a":"\\ud83d\\ude00"}').get("a"), "😀");
});
