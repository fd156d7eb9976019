import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openToWriteSync } from "@skytools/skytools";
import { temporaryDirectory } from "@skytools/testbed";
import fc from "fast-check";
import { WriteBehind } from "#src/backup/write-behind.js";

test("files come out as they were given, whatever their size and pieces", async () => {
  await using directory = await temporaryDirectory("behind");
  const pieces = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 900_000 })), {
    maxLength: 6,
  });
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 4 }), async (files) => {
      const behind = new WriteBehind();
      const written = files.map((sizes) => {
        const path = join(directory.path, String(count++));
        const file = behind.file(openToWriteSync(path, "wx"));
        const chunks = sizes.map((size) => randomBytes(size));
        for (const chunk of chunks) file.append(chunk);
        file.end();
        return { path, content: Buffer.concat(chunks) };
      });
      await behind.finish();
      for (const { path, content } of written) assert.ok((await readFile(path)).equals(content));
    }),
    { numRuns: 30 },
  );
});

test("memory is bounded: without room the caller is told, and the room comes back", async () => {
  await using directory = await temporaryDirectory("behind");
  const behind = new WriteBehind();
  const file = behind.file(openToWriteSync(join(directory.path, "file"), "wx"));
  const chunk = Buffer.alloc(1 << 20);
  let given = 0;
  while (behind.hasRoom) {
    file.append(chunk);
    given += 1;
    assert.ok(given < 100, "there is always room");
  }
  await behind.room();
  assert.ok(behind.hasRoom);
  file.end();
  await behind.finish();
});

test("a failing write is told by the next call, and by the end", async () => {
  const behind = new WriteBehind();
  const file = behind.file(openToWriteSync("/dev/full", "w"));
  file.append(Buffer.alloc(2 << 20));
  await assert.rejects(behind.finish(), { code: "ENOSPC" });
  assert.throws(() => file.append(Buffer.alloc(2 << 20)), { code: "ENOSPC" });
  const small = new WriteBehind().file(openToWriteSync("/dev/full", "w"));
  small.append(Buffer.alloc(10));
  assert.throws(() => small.end(), { code: "ENOSPC" });
});
