import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory, waitFor } from "@skytools/testbed";
import { BackupLock } from "#src/backup/backup-lock.js";

const dead = JSON.stringify({ pid: spawnSync("true").pid, host: hostname(), startTime: "1" });

test("the lock of a dead process is taken over, also when another one died taking it over", async () => {
  for (const others of [[], ["BACKUPLOCK.taking"]]) {
    await using directory = await temporaryDirectory("lock");
    for (const name of ["BACKUPLOCK", ...others]) await writeFile(join(directory.path, name), dead);
    const lock = new BackupLock(directory.path);
    assert.equal(await lock.liveHolder(), undefined, "no backup is running");
    await lock.take();
    assert.equal((await lock.liveHolder())?.pid, process.pid);
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

test("a link under the name of the lock's draft is not written through", async () => {
  await using directory = await temporaryDirectory("lock");
  const victim = join(directory.path, "victim");
  await writeFile(victim, "as it was");
  await symlink(victim, join(directory.path, `BACKUPLOCK.${process.pid}.tmp`));
  await new BackupLock(directory.path).take();
  assert.equal(await readFile(victim, "utf8"), "as it was");
});

test("a link that leads nowhere is no lock that could be taken, and is told", async () => {
  await using directory = await temporaryDirectory("lock");
  await symlink("/nowhere/at/all", join(directory.path, "BACKUPLOCK"));
  await assert.rejects(new BackupLock(directory.path).take(), /a backup is running: process unknown/);
});

test("what a process that died while it wrote its lock has left goes with the next one, when it is old", async () => {
  await using directory = await temporaryDirectory("lock");
  const [old, young] = ["BACKUPLOCK.4000001.tmp", "BACKUPLOCK.4000002.tmp"];
  for (const name of [old, young]) await writeFile(join(directory.path, name), "");
  const longAgo = new Date(Date.now() - 2 * 3600_000);
  await utimes(join(directory.path, old), longAgo, longAgo);
  const lock = new BackupLock(directory.path);
  await lock.take();
  await lock.release();
  assert.deepEqual(await readdir(directory.path), [young], "the young one may be one of another host");
});

test("the lock of a process that was killed, and that its parent has not asked for, is taken over", {
  skip: !existsSync("/proc/self/stat"),
}, async () => {
  await using directory = await temporaryDirectory("lock");
  // sleep takes the shell's place and never waits for the shell's child, which ends only then.
  const child = `sh -c 'until grep -q sleep /proc/$PPID/comm; do :; done' & echo $!; exec sleep 1000`;
  const parent = spawn("sh", ["-c", child], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const pid = Number(((await once(parent.stdout, "data")) as [Buffer])[0]);
    const stat = () => readFileSync(`/proc/${pid}/stat`, "utf8");
    const startTime = stat().split(") ")[1]!.split(" ")[19];
    await writeFile(join(directory.path, "BACKUPLOCK"), JSON.stringify({ pid, host: hostname(), startTime }));
    await waitFor("the zombie", () => stat().includes(") Z "));
    const lock = new BackupLock(directory.path);
    await lock.take();
    assert.equal((await lock.holder())?.pid, process.pid);
  } finally {
    parent.kill("SIGKILL");
  }
});
