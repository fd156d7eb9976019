import assert from "node:assert/strict";
import { test } from "node:test";
import { quoteCopy } from "@skytools/skytools";
import fc from "fast-check";
import { parseFlatJson } from "#src/apply/flat-json.js";
import { RowBuffer } from "#src/apply/row-buffer.js";
import { decodeRaw, decodeRow, encodeRaw } from "#src/apply/row-layout.js";
import { RowTranscoder } from "#src/apply/row-transcoder.js";

const names = fc.uniqueArray(
  fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" }).map((name) => name.replaceAll("\0", "_")),
  { minLength: 1, maxLength: 5 },
);
const awkward = fc.constantFrom(
  "\\",
  '"',
  "\n",
  "\t",
  "\r",
  "\b",
  "\f",
  "\u0001",
  "\\N",
  "\\.",
  "é",
  "😀",
  "/",
  "%",
  "+",
  "&",
  "=",
  "null",
  "{",
  ",",
);
const values = fc.oneof(
  fc.constant(null),
  fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", "")),
  fc.array(awkward).map((parts) => parts.join("")),
);
const rows = names.chain((columns) =>
  fc.tuple(fc.constant(columns), fc.array(values, { minLength: columns.length, maxLength: columns.length })),
);

function transcode(
  format: "json" | "url",
  columns: readonly string[],
  data: string,
  isWritten?: readonly boolean[],
) {
  const block = Buffer.from(`12\t34\t${quoteCopy(data)}\n`);
  const to = new RowBuffer();
  const coder = new RowTranscoder({ format, columns }, isWritten ?? columns.map(() => true));
  const start = coder.transcode(block, 0, 5, 0x49, 6, block.length - 1, to);
  return start >= 0 ? to.take().content.toString("latin1") : undefined;
}

/** As the servers write JSON: only what must be escaped is. */
function jsonData(columns: readonly string[], row: readonly (string | null)[]): string {
  return `{${columns.map((name, nr) => `${JSON.stringify(name)}:${JSON.stringify(row[nr])}`).join(",")}}`;
}

/** Source: spec/sql-pgq.md 8.4 */
function urlEncode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return /[\w.-]/.test(letter) ? letter : letter === " " ? "+" : `%${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}

function urlData(columns: readonly string[], row: readonly (string | null)[]): string {
  return columns
    .map((name, nr) => urlEncode(name) + (row[nr] === null ? "" : `=${urlEncode(row[nr] ?? "")}`))
    .join("&");
}

for (const [format, write] of [
  ["json", jsonData],
  ["url", urlData],
] as const) {
  test(`a row of ${format} data becomes the same COPY line byte by byte and the long way`, () => {
    let taken = 0;
    fc.assert(
      fc.property(rows, ([columns, row]) => {
        const data = write(columns, row);
        const line = transcode(format, columns, data);
        const decoded = decodeRow(format, encodeRaw(data));
        assert.deepEqual([...decoded.values()], row);
        if (line === undefined) return;
        taken += 1;
        const [id, txid, letter, ...fields] = line.slice(0, -1).split("\t");
        assert.deepEqual([id, txid, letter, line.at(-1)], ["12", "34", "I", "\n"]);
        assert.deepEqual(fields.map(decodeRaw), row);
      }),
      { numRuns: 1000 },
    );
    assert.ok(taken > 500, `only ${taken} rows were taken byte by byte`);
  });
}

test("numbers keep every digit, booleans and null their meaning", () => {
  const data = '{"i":9223372036854775807,"n":-1.50e300,"t":true,"f":false,"z":null,"e":"","q":"1"}';
  const columns = ["i", "n", "t", "f", "z", "e", "q"];
  assert.equal(
    transcode("json", columns, data),
    "12\t34\tI\t9223372036854775807\t-1.50e300\ttrue\tfalse\t\\N\t\t1\n",
  );
  assert.deepEqual(
    [...parseFlatJson(data).values()],
    ["9223372036854775807", "-1.50e300", "true", "false", null, "", "1"],
  );
});

test("columns that are not written are passed over", () => {
  assert.equal(
    transcode("json", ["a", "b", "c"], '{"a":1,"b":"x\\"y","c":null}', [true, false, true]),
    "12\t34\tI\t1\t\\N\n",
  );
  assert.equal(transcode("url", ["a", "b", "c"], "a=1&b=%09&c", [false, true, false]), "12\t34\tI\t\\t\n");
});

test("data of another layout, or written by somebody else, is left to the long way, and nothing is appended", () => {
  const others = [
    '{"a":1}',
    '{"a":1,"b":2,"c":3}',
    '{"b":1,"a":2}',
    '{"a": 1, "b": 2}',
    '{"a":1,"b":[1]}',
    '{"a":1,"b":{"x":1}}',
    '{"a":1,"b":"x"',
    '{"a":1,"b":"x"}}',
    '{"a":1,"b":nope}',
    '{"a":1,"b":}',
    "",
  ];
  for (const data of others) assert.equal(transcode("json", ["a", "b"], data), undefined, data);
  for (const data of ["a=1", "a=1&b=2&c=3", "b=1&a=2", "a=1&bb=2", "a=1&b=%0", "a=1&b=%zz"]) {
    assert.equal(transcode("url", ["a", "b"], data), undefined, data);
  }
});

test("nested values are read as their JSON text; what is no object of columns is an error", () => {
  assert.deepEqual(
    [...parseFlatJson('{"a" : {"x": [1, "}"]} , "b":[ ] }')],
    [
      ["a", '{"x": [1, "}"]}'],
      ["b", "[ ]"],
    ],
  );
  assert.deepEqual([...parseFlatJson("{}")], []);
  for (const bad of ["", "[]", "{", '{"a"}', '{"a":1', '{"a":1}x', '{"a":tru}', '{"a":"\\x"}', "{a:1}"]) {
    assert.throws(() => parseFlatJson(bad), /not a JSON object of columns/, bad);
  }
});
