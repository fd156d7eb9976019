import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { PartialWriter } from "#src/receive/partial-writer.js";
import { PrimaryDirectory } from "../fixture/primary-directory.js";
import { walFile } from "../fixture/wal-file.js";

function mount(...args: string[]): boolean {
  return spawnSync("mount", args, { stdio: "ignore" }).status === 0;
}

/** @returns whether a file system of that size is there now */
function mountSmall(context: TestContext, directory: string, size: string): boolean {
  if (process.getuid?.() === 0 && mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory)) return true;
  context.skip("a small file system can be mounted here only by root");
  return false;
}

test("a full or read-only archive keeps the segment on the primary, and takes it when it can again", async (context) => {
  await using primary = await PrimaryDirectory.create();
  const directory = join(primary.archive, "logs.complete");
  if (!mountSmall(context, directory, "2500k")) return;
  try {
    const names = [1, 2, 3].map((n) => `00000001000000000000000${n}`);
    for (const name of names) await primary.addWal(name, walFile(name));
    assert.equal((await primary.xarchive(names[0]!)).code, 0);
    assert.equal((await primary.xarchive(names[1]!)).code, 0);
    const full = await primary.xarchive(names[2]!);
    assert.equal(full.code, 2, full.stderr);
    assert.match(full.stderr, /archive .* is full \(ENOSPC\)/);
    assert.ok(!(await readdir(directory)).some((name) => name.includes(names[2]!)), "nothing half stored");
    await rm(primary.stored(names[0]!));
    assert.equal((await primary.xarchive(names[2]!)).code, 0);
    await rm(primary.stored(names[1]!));
    assert.ok(mount("-o", "remount,ro", directory));
    const readOnly = await primary.xarchive(names[1]!);
    assert.equal(readOnly.code, 2, readOnly.stderr);
    assert.match(readOnly.stderr, /is read-only \(EROFS\)/);
    assert.equal((await primary.xrestore(names[2]!)).code, 0, "what is there can be read");
  } finally {
    spawnSync("umount", [directory]);
  }
});

test("a begun segment of which the disk took a part only is refused, and leaves no draft", async (context) => {
  await using primary = await PrimaryDirectory.create();
  const directory = join(primary.archive, "logs.partial");
  if (!mountSmall(context, directory, "500k")) return;
  try {
    const name = "000000010000000000000001";
    const content = walFile(name);
    await primary.addWal(name, content);
    const full = await primary.walmgr(["sync"]);
    assert.equal(full.code, 2, full.stderr);
    assert.match(full.stderr, /cannot write .* \(ENOSPC\)/);
    assert.deepEqual(await readdir(directory), []);
    assert.ok(mount("-o", "remount,size=2m", directory));
    assert.equal((await primary.walmgr(["sync"])).code, 0);
    assert.deepEqual(await readFile(join(directory, name)), content);
  } finally {
    spawnSync("umount", [directory]);
  }
});

test("received bytes of which the disk took a part only do not count as written", async (context) => {
  await using root = await temporaryDirectory("small");
  const directory = join(root.path, "partial");
  await mkdir(directory);
  if (!mountSmall(context, directory, "500k")) return;
  try {
    const size = 1 << 20;
    const content = randomBytes(size);
    const writer = await PartialWriter.open(directory, 1, BigInt(size), size);
    try {
      // In pieces that end in the middle of a page.
      const pieceBytes = 100_001;
      const position = () => Number(writer.end) - size;
      const writePiece = () =>
        writer.write(writer.end, content.subarray(position(), position() + pieceBytes));
      for (let count = 0; count < 5; count++) await writePiece();
      await assert.rejects(writePiece, { code: "ENOSPC" });
      assert.equal(position(), 5 * pieceBytes);
      assert.ok(mount("-o", "remount,size=2m", directory));
      while (!writer.isFull) await writePiece();
      assert.deepEqual(await readFile(writer.path), content);
    } finally {
      await writer.close();
    }
  } finally {
    spawnSync("umount", [directory]);
  }
});
