import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { PrimaryDirectory } from "../fixture/primary-directory.js";
import { walFile } from "../fixture/wal-file.js";

function mount(...args: string[]): boolean {
  return spawnSync("mount", args, { stdio: "ignore" }).status === 0;
}

test("a full or read-only archive keeps the segment on the primary, and takes it when it can again", async (context) => {
  await using primary = await PrimaryDirectory.create();
  const directory = join(primary.archive, "logs.complete");
  if (process.getuid?.() !== 0 || !mount("-t", "tmpfs", "-o", "size=2500k", "tmpfs", directory)) {
    context.skip("a small file system can be mounted here only by root");
    return;
  }
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
