import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import fc from "fast-check";
import { linesOf, readScript } from "#src/script.js";

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function linesIn(bytes: Buffer, size: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const each of linesOf(pieces(bytes, size))) lines.push(each);
  return lines;
}

test("a script that is not UTF-8 is refused: what it says would go to the server damaged", async () => {
  await using directory = await temporaryDirectory("script");
  const file = join(directory.path, "a.sql");
  for (const text of ["select 'caf\xe9';\n", "select 1;\n\xc3"]) {
    const bytes = Buffer.from(text, "latin1");
    writeFileSync(file, bytes);
    assert.throws(() => readScript(file), { code: "FILE", message: /cannot read .*a\.sql/ });
    for (const size of [1, 3, 100])
      await assert.rejects(linesIn(bytes, size), { code: "FILE", message: "the input is not valid UTF-8" });
  }
});

test("input comes in whole lines, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom("a", "\n", "é", "😀"), maxLength: 30 }),
      fc.integer({ min: 1, max: 7 }),
      async (text, size) => {
        const lines = await linesIn(Buffer.from(text), size);
        assert.equal(lines.join(""), text);
        for (const each of lines.slice(0, -1)) assert.ok(each.endsWith("\n"));
      },
    ),
  );
});
