import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { waitFor } from "@skytools/testbed";
import { RemoteSetStore } from "#src/backup/remote-set-store.js";
import type { BackupSet } from "#src/backup/set-info.js";
import { writeTree } from "#src/backup/write-tree.js";
import type { RemoteHost } from "#src/remote/remote-program.js";
import { RemoteSession } from "#src/remote/remote-session.js";
import { chainOf } from "#src/restore/restore-plan.js";
import { fakeSsh, walmgrPath } from "../fixture/fake-ssh.js";
import { PrimaryDirectory } from "../fixture/primary-directory.js";
import { walFile } from "../fixture/wal-file.js";

const first = "000000010000000000000001";
const escaping = ["../escaped", "a/../../escaped", "/escaped", "..", "a\0b"];
const numbers = ["../escaped", "16384/../../escaped", "", "..", "1e4", "16384\n"];
const long = "0".repeat(5000);

let here: PrimaryDirectory;
let slaveFile: string;
let pathBefore: string | undefined;
const sessions: RemoteSession[] = [];

before(async () => {
  here = await PrimaryDirectory.create();
  slaveFile = join(here.root, "slave.ini");
  await writeFile(slaveFile, `[walmgr]\nwalmgr_data = ${here.archive}\nslave_data = ${here.root}/standby\n`);
  await writeFile(join(here.root, "secret"), "the secret");
  pathBefore = process.env.PATH;
  process.env.PATH = (await fakeSsh(here.root)).PATH;
  await chmod(fileURLToPath(new URL("../fixture/hostile-host.js", import.meta.url)), 0o755);
});
after(async () => {
  for (const session of sessions) session.close();
  process.env.PATH = pathBefore;
  await here[Symbol.asyncDispose]();
});

function far(programPath: string): RemoteHost {
  return { host: "far", sshOptions: [], programPath, configFile: slaveFile, timeoutSeconds: 60 };
}

async function opened(): Promise<RemoteSession> {
  const session = await RemoteSession.open(far(walmgrPath()));
  sessions.push(session);
  return session;
}

async function files(): Promise<string[]> {
  return (await readdir(here.root, { recursive: true })).sort();
}

test("a host that keeps the archive cannot have a restore write elsewhere than below its directory", async () => {
  const wrapper = join(here.root, "hostile");
  const program = fileURLToPath(new URL("../fixture/hostile-host.js", import.meta.url));
  await writeFile(wrapper, `#!/bin/sh\nexec '${process.execPath}' '${program}'\n`);
  await chmod(wrapper, 0o755);
  const target = join(here.root, "target");
  await mkdir(target);
  const restore = async (hostile: Record<string, string>) => {
    process.env.HOSTILE = JSON.stringify(hostile);
    const store = new RemoteSetStore(far(wrapper));
    try {
      const set = { name: "data.master", path: "", info: { id: "x" } } as BackupSet;
      await store.read(set, () => writeTree(target));
    } finally {
      store.close();
    }
  };
  const before = await files();
  for (const path of escaping)
    await assert.rejects(restore({ path }), /far has a path that leads out of it/, path);
  for (const oid of numbers.slice(0, 2))
    await assert.rejects(restore({ oid }), /far sent .* as the number of a tablespace/, oid);
  assert.deepEqual(await files(), before);
  await restore({ path: "harmless" });
  assert.equal((await stat(join(target, "harmless"))).mode & 0o7777 & ~0o022, 0o755, "not setuid");

  process.env.HOSTILE = JSON.stringify({ oid: "../x" });
  const store = new RemoteSetStore(far(wrapper));
  await assert.rejects(store.list(), /far has a damaged backup set "data.master"/);
  store.close();
});

test("a primary's requests reach nothing beside the archive", async () => {
  await mkdir(join(here.archive, "config.backup"));
  const session = await opened();
  const nobody = async function* () {};
  const before = await files();
  for (const name of [
    ...escaping,
    "../../secret",
    "BACKUPLOCK",
    `${first}/../x`,
    `${first}\n`,
    "$(id)",
    long,
  ]) {
    await assert.rejects(session.call({ op: "fetch", name }), /is not the name of a WAL file/, name);
    await assert.rejects(
      session.call({ op: "store", name, sizeBytes: 0 }, nobody()),
      /is not the name/,
      name,
    );
  }
  for (const flag of ["../x", "BACKUPLOCK", ""])
    await assert.rejects(session.call({ op: "set-flag", flag, isSet: true }), /unknown flag/);
  const plan = {
    label: "l",
    systemIdentifier: "1",
    segmentSize: 1 << 20,
    startTime: "t",
    includesWal: false,
  };
  for (const name of ["../x.conf", "/x.conf", ".x.conf", "a/b.conf", "x.conf\n", "x"])
    await assert.rejects(
      session.call({ op: "store-config", files: { [name]: "" } }),
      /not the name of a conf/,
      name,
    );
  assert.deepEqual(await files(), before);
  session.close();
  for (const oid of numbers) {
    const sender = await opened();
    await sender.call({ op: "backup-begin", plan });
    const part = async function* () {
      yield Buffer.from(`n${JSON.stringify({ oid })}`);
    };
    await assert.rejects(
      sender.call({ op: "backup-data" }, part()),
      /is not the number of a tablespace/,
      oid,
    );
    sender.close();
    await waitFor("the end of the far side", () => !existsSync(here.stored("BACKUPLOCK")));
  }
  assert.ok(!existsSync(join(here.root, "escaped")) && !existsSync(join(here.archive, "escaped")));
});

test("symbolic links in the archive, or where a segment is to be put, are not written through", async () => {
  await using primary = await PrimaryDirectory.create();
  const victim = join(primary.root, "victim");
  await writeFile(victim, "as it was");
  await primary.addWal(first, walFile(first));
  assert.equal((await primary.xarchive(first)).code, 0);
  const links = ["PROGRESS", "RESTARTPOINT"].map((name) => primary.stored(name));
  for (const link of [...links, join(primary.data, "pg_wal/RECOVERYXLOG.tmp")]) {
    await symlink(victim, link);
    const args = ["xrestore", first, "pg_wal/RECOVERYXLOG", first];
    await primary.walmgr(args);
    assert.equal(await readFile(victim, "utf8"), "as it was", link);
  }
  await symlink(victim, primary.stored("PAUSE"));
  await primary.walmgr(["pause"]);
  assert.equal(await readFile(victim, "utf8"), "as it was", "pause");
});

test("a backup set that says that it is based on itself is refused", () => {
  const set = (id: string, basedOn: string) => ({ name: id, path: "", info: { id, basedOn } }) as BackupSet;
  const [a, b] = [set("a", "b"), set("b", "a")];
  assert.throws(() => chainOf([a, b], a), /backup set a is based on itself/);
});

test("a set of any size passes from another host without being kept in memory", async () => {
  const set = join(here.archive, "data.master");
  await mkdir(set);
  const info = { id: "big", startLsn: "0/1", startTime: "2026", codec: "none", tablespaces: [] };
  await writeFile(join(set, "backup.json"), JSON.stringify(info));
  await writeFile(join(set, "file"), "");
  const size = 400 << 20;
  await truncate(join(set, "file"), size);
  const store = new RemoteSetStore(far(walmgrPath()));
  let bytes = 0;
  let most = 0;
  const [big] = await store.list();
  await store.read(big!, () => ({
    begin: () => {},
    data: (chunk) => {
      bytes += chunk.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    },
    end: () => {},
  }));
  store.close();
  assert.equal(bytes, size);
  assert.ok(most < 200 << 20, `${most} bytes`);
});
