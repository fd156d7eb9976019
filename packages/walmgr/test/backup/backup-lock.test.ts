import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { BackupLock } from "#src/backup/backup-lock.js";

const dead = JSON.stringify({ pid: spawnSync("true").pid, host: hostname(), startTime: "1" });

test("the lock of a dead process is taken over, also when another one died taking it over", async () => {
  for (const others of [[], ["BACKUPLOCK.taking"]]) {
    await using directory = await temporaryDirectory("lock");
    for (const name of ["BACKUPLOCK", ...others]) await writeFile(join(directory.path, name), dead);
    const lock = new BackupLock(directory.path);
    await lock.take();
    assert.equal((await lock.holder())?.pid, process.pid);
    assert.deepEqual(await readdir(directory.path), ["BACKUPLOCK"]);
    await assert.rejects(new BackupLock(directory.path).take(), /a backup is running: process \d+ on /);
    await lock.release();
    assert.deepEqual(await readdir(directory.path), []);
  }
});

test("while somebody takes a dead lock over, nobody else does", async () => {
  await using directory = await temporaryDirectory("lock");
  await writeFile(join(directory.path, "BACKUPLOCK"), dead);
  const first = new BackupLock(directory.path);
  const taking = join(directory.path, "BACKUPLOCK.taking");
  await writeFile(taking, JSON.stringify({ pid: process.pid, host: hostname() }));
  await assert.rejects(first.take(), /a backup is running/);
  assert.ok(existsSync(taking));
  assert.equal((await first.holder())?.startTime, "1");
});

test("a link that leads nowhere is no lock that could be taken, and is told", async () => {
  await using directory = await temporaryDirectory("lock");
  await symlink("/nowhere/at/all", join(directory.path, "BACKUPLOCK"));
  await assert.rejects(new BackupLock(directory.path).take(), /a backup is running: process unknown/);
});
