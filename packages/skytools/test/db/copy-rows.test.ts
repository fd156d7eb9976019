import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import fc from "fast-check";
import { CopyRowSplitter, copyRow, parseCopyRow, readCopyRows, rewriteCopyRows } from "#src/index.js";

/** The same bytes cut at any places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => Buffer.from(bytes.subarray(at[index], end)));
}

const value = fc.option(fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")));
const table = fc.array(fc.array(value, { minLength: 1, maxLength: 4 }));

test("rows survive any cut into chunks", async () => {
  await fc.assert(
    fc.asyncProperty(table, fc.array(fc.nat()), async (rows, places) => {
      const bytes = Buffer.from(rows.map(copyRow).join(""));
      const found: (string | null)[][] = [];
      for await (const some of readCopyRows(Readable.from(cut(bytes, places)))) {
        found.push(...some.map((row) => parseCopyRow(row.toString())));
      }
      const wanted = rows.map((row) =>
        row.map((text) => (text === null ? null : Buffer.from(text).toString())),
      );
      assert.deepEqual(found, wanted);
    }),
  );
});

test("rows are rewritten and left out", async () => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => `${index}\tx\n`).join(""));
  const odd = rewriteCopyRows((row) => {
    const [id] = row.toString().split("\t");
    return Number(id) % 2 === 0 ? undefined : `${id}\ty`;
  });
  const out = await buffer(Readable.from(cut(bytes, [7, 100, 1001])).pipe(odd));
  assert.equal(out.toString(), Array.from({ length: 500 }, (_, index) => `${2 * index + 1}\ty\n`).join(""));
});

test("an error of the row function and a row without end fail the transform", async () => {
  const broken = rewriteCopyRows(() => {
    throw new Error("bad row");
  });
  await assert.rejects(buffer(Readable.from([Buffer.from("1\n")]).pipe(broken)), /bad row/);
  const same = rewriteCopyRows((row) => row);
  await assert.rejects(
    buffer(Readable.from([Buffer.from("1\n2")]).pipe(same)),
    /copy data ends within a row/,
  );
  const splitter = new CopyRowSplitter();
  splitter.push(Buffer.from("a"));
  assert.throws(() => splitter.end(), { code: "COPY_ROW_CUT" });
});
