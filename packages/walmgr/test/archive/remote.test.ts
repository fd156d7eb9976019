import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { fakeSsh, walmgrPath } from "../fixture/fake-ssh.js";
import { PrimaryDirectory } from "../fixture/primary-directory.js";
import { walFile } from "../fixture/wal-file.js";

let primary: PrimaryDirectory;
let env: { PATH: string };
let number = 0;

/** A segment that no test has used before. */
function nextSegment(): string {
  number += 1;
  return `0000000100000000${number.toString(16).toUpperCase().padStart(8, "0")}`;
}

before(async () => {
  primary = await PrimaryDirectory.create();
  env = await fakeSsh(primary.root);
  const slaveFile = join(primary.root, "it's the slave.ini");
  await writeFile(slaveFile, `[walmgr]\nwalmgr_data = ${primary.archive}\n`);
  await primary.configure({
    slave: "far",
    slave_config: slaveFile,
    remote_walmgr_path: walmgrPath(),
    walmgr_data: primary.archive,
    completed_wals: `far:${primary.archive}/logs.complete`,
    ssh_timeout: "60",
  });
});

after(async () => {
  await primary[Symbol.asyncDispose]();
});

beforeEach(() => {
  delete (env as Record<string, string>).FAKE_SSH;
});

test("the archive of another host: stored, the same again, something else, fetched, absent", async () => {
  const name = nextSegment();
  const content = walFile(name);
  await primary.addWal(name, content);
  const push = await primary.xarchive(name, env);
  assert.equal(push.code, 0, push.stderr);
  assert.deepEqual(await readFile(primary.stored(name)), content);
  assert.equal((await primary.xarchive(name, env)).code, 0);
  assert.equal((await primary.xrestore(name, "pg_wal/RECOVERYXLOG", env)).code, 0);
  assert.deepEqual(await readFile(join(primary.data, "pg_wal/RECOVERYXLOG")), content);
  await primary.addWal(name, walFile(name));
  const refused = await primary.xarchive(name, env);
  assert.equal(refused.code, 45, refused.stderr);
  assert.match(refused.stderr, /holds other content/);
  await primary.addWal(name, walFile(name, { systemIdentifier: "42" }));
  assert.equal((await primary.xarchive(name, env)).code, 44);
  assert.equal((await primary.xrestore("0000000100000000000000FF", "pg_wal/X", env)).code, 1);
});

test("segments that wait go over one connection", async () => {
  const names = [nextSegment(), nextSegment(), nextSegment()];
  for (const name of names) await primary.addWal(name, walFile(name), true);
  const push = await primary.xarchive(names[0]!, env);
  assert.equal(push.code, 0, push.stderr);
  for (const name of names) assert.equal((await readFile(primary.stored(name))).length, 1 << 20);
  for (const name of names) await primary.setDone(name);
});

test("a host that is away, hangs, or cuts the connection is trouble (2); the next call succeeds", async () => {
  for (const [mode, message] of [
    ["fail", /ssh to far: .*No route to host/],
    ["hang", /ssh to far: no answer for 1 s/],
    ["cut", /ssh to far: |connection was cut/],
    ["noise", /answered something else: "Welcome/],
  ] as const) {
    const name = nextSegment();
    await primary.addWal(name, walFile(name));
    const failing = { ...env, FAKE_SSH: mode };
    const patience = mode === "hang" ? ["--set", "ssh_timeout=1"] : [];
    const failed = await primary.walmgr([...patience, "xarchive", `pg_wal/${name}`, name], failing);
    assert.equal(failed.code, 2, `${mode}: ${failed.stderr}`);
    assert.match(failed.stderr, message, mode);
    const names = await readdir(join(primary.archive, "logs.complete"));
    assert.ok(!names.includes(name), `${mode}: nothing half stored`);
    const fetched = await primary.walmgr([...patience, "xrestore", name, "pg_wal/X"], failing);
    assert.equal(fetched.code, 2, `${mode}: not taken for absent`);
    const again = await primary.xarchive(name, env);
    assert.equal(again.code, 0, `${mode}: ${again.stderr}`);
  }
});

test("a recovery does not end while the archive's host is away", async () => {
  await writeFile(join(primary.data, "recovery.signal"), "");
  await primary.walmgr(["status"], env);
  const result = await primary.walmgr(
    ["--set", "restore_retry_timeout=0.1", "xrestore", nextSegment(), "pg_wal/X"],
    { ...env, FAKE_SSH: "fail" },
  );
  assert.equal(result.code, 200, result.stderr);
});

test("commands about the archive are done over there", async () => {
  const list = await primary.walmgr(["listbackups"], env);
  assert.equal(list.code, 0, list.stderr);
  assert.match(list.stdout, /No backups found\./);
});

test("a destination on this host while the archive is elsewhere is a mistake in the file", async () => {
  await using wrong = await PrimaryDirectory.create({ slave: "far", completed_wals: "/var/lib/wal" });
  const refused = await wrong.xarchive(nextSegment());
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /master\.ini:\d+: \[walmgr\] completed_wals: the archive would be on this host, but slave is far/,
  );
});
