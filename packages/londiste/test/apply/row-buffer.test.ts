import assert from "node:assert/strict";
import { test } from "node:test";
import { RowBuffer, reuse } from "#src/apply/row-buffer.js";

/** Lines of 1000 bytes, told apart by their letter. */
function fill(buffer: RowBuffer, letter: string, lines: number): void {
  for (let nr = 0; nr < lines; nr += 1) buffer.addLine(letter.repeat(999));
}

function isOnly(content: Buffer, letter: string): boolean {
  return new RegExp(`^[${letter}\\n]+$`).test(content.toString("latin1"));
}

test("memory that was given back serves one content, and no other beside it", () => {
  const buffers = [new RowBuffer(), new RowBuffer(), new RowBuffer()];
  fill(buffers[0]!, "a", 100);
  const { content, rows } = buffers[0]!.take();
  assert.deepEqual([content.length, rows, isOnly(content, "a")], [100_000, 100, true]);
  reuse(content);
  for (const [nr, letter] of ["b", "c", "d"].entries()) fill(buffers[nr]!, letter, 90);
  const contents = buffers.map((buffer) => buffer.take().content);
  assert.ok(contents.some(({ buffer }) => buffer === content.buffer));
  assert.deepEqual(
    contents.map((each, nr) => isOnly(each, "bcd"[nr]!)),
    [true, true, true],
  );
  assert.equal(new Set(contents.map(({ buffer }) => buffer)).size, 3);
});

test("a content that was not given back keeps its memory", () => {
  const buffer = new RowBuffer();
  fill(buffer, "a", 100);
  const { content } = buffer.take();
  fill(buffer, "b", 100);
  assert.ok(isOnly(content, "a"));
  assert.ok(isOnly(buffer.take().content, "b"));
});

test("little memory, and too much of it, is not kept", () => {
  const buffer = new RowBuffer();
  for (const lines of [3, 5000]) {
    fill(buffer, "a", lines);
    const { content } = buffer.take();
    reuse(content);
    fill(buffer, "b", lines);
    assert.notEqual(buffer.take().content.buffer, content.buffer);
  }
});
