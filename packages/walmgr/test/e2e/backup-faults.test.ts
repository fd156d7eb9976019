import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { fakeSsh, walmgrPath } from "../fixture/fake-ssh.js";
import { Stage } from "../fixture/stage.js";

let stage: Stage;
let file: string;

before(async () => {
  stage = await Stage.start();
  file = await stage.primaryFile({ keep_backups: "2" });
  await stage.primary.query(
    "create table t as select i as id, repeat('x', 200) as v from generate_series(1, 5000) i",
  );
  await stage.walmgr(file, ["setup"]);
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

interface ListedSet {
  readonly name: string;
  readonly id: string;
  readonly basedOn?: string;
}

async function sets(of = file): Promise<ListedSet[]> {
  return JSON.parse((await stage.walmgr(of, ["listbackups", "--json"])).stdout) as ListedSet[];
}

async function restoredCount(extra: readonly string[] = [], of = file): Promise<number> {
  const copy = stage.place();
  await stage.walmgr(of, ["restore", "data.master", copy.dataDirectory, ...extra]);
  await stage.startRestored(copy);
  await stage.waitForPrimary(copy);
  const [row] = await copy.query<{ count: number }>("select count(*)::int from t");
  await copy.stop("immediate");
  return row!.count;
}

test("a backup that dies anywhere leaves the older sets, and the next one succeeds", async () => {
  await stage.walmgr(file, ["backup"]);
  await stage.walmgr(file, ["backup"]);
  const points = ["backup.part", "backup.data=kill:40", "backup.synced", "backup.finished", "rotate.renamed"];
  for (const point of [...points, "rotate.room-made", "expire.renamed", "expire.before-wal"]) {
    const setting = point.includes("=") ? point : `${point}=kill`;
    const killed = await stage.run(file, ["backup"], { SKYTOOLS_CRASH_POINT: setting });
    assert.equal(killed.code, 137, `${point}: ${killed.stderr}`);
    const left = await sets();
    assert.ok(left.length >= 2, `${point}: ${left.map((set) => set.name).join()}`);
  }
  await stage.walmgr(file, ["backup"]);
  assert.deepEqual(
    (await sets()).map((set) => set.name),
    ["data.master", "data.master.0"],
  );
  const rest = (await readdir(stage.archive)).filter((name) => /\.new|expired|tmp/.test(name));
  assert.deepEqual(rest, []);
  assert.equal(await restoredCount(), 5000);
});

test("one backup at a time; a dead holder's lock is taken over", async () => {
  // The least that a server takes: it would last a quarter of an hour.
  const slow = await stage.primaryFile({ backup_max_rate: "32" });
  const first = stage.start(slow, ["backup"]);
  await waitFor("the lock", () => existsSync(join(stage.archive, "logs.complete/BACKUPLOCK")));
  const second = await stage.run(file, ["backup"]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /a backup is running: process \d+ on /);
  first.signal("SIGKILL");
  await first.exit;
  await stage.walmgr(file, ["backup"]);
});

test("a damaged backup set is found by verify and refused by restore, which leaves nothing behind", async () => {
  const good = await stage.run(file, ["verify"]);
  assert.equal(good.code, 0, good.stdout);
  const base = join(stage.archive, "data.master/base/1");
  const victim = join(base, (await readdir(base)).find((name) => name === "1259")!);
  const content = await readFile(victim);
  const flipped = Buffer.from(content);
  flipped[100] = flipped[100]! ^ 1;
  const { uid } = await import("node:fs").then(({ statSync }) => statSync(victim));
  await writeFile(victim, flipped);
  assert.equal((await import("node:fs")).statSync(victim).uid, uid);
  const verify = await stage.run(file, ["verify"]);
  assert.equal(verify.code, 1);
  assert.match(verify.stdout, /data\.master: base\/1\/1259 does not match its checksum/);
  const copy = stage.place();
  const refused = await stage.run(file, ["restore", "data.master", copy.dataDirectory]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /backup set data\.master is damaged: base\/1\/1259/);
  assert.deepEqual(await readdir(copy.socketDir), []);
  await truncate(victim, 10);
  assert.match((await stage.run(file, ["verify"])).stdout, /base\/1\/1259 is 10 bytes long instead of/);
  await writeFile(victim, content);
  assert.equal((await stage.run(file, ["verify"])).code, 0);
});

test("a restore that dies anywhere leaves the old data directory, and the next one succeeds", async () => {
  const standby = stage.place();
  const standbyFile = await stage.standbyFile(standby);
  await stage.walmgr(standbyFile, ["restore", "--no-start"]);
  await stage.run(standbyFile, ["listbackups"]);
  for (const point of [
    "restore.begin",
    "restore.file=kill:50",
    "restore.unpacked",
    "restore.complete",
    "restore.old-set-aside",
    "restore.done",
  ]) {
    const marker = join(standby.dataDirectory, "marker");
    spawnSync("touch", [marker]);
    const setting = point.includes("=") ? point : `${point}=kill`;
    const killed = await stage.run(standbyFile, ["restore", "--no-start"], { SKYTOOLS_CRASH_POINT: setting });
    assert.equal(killed.code, 137, `${point}: ${killed.stderr}`);
    if (point === "restore.old-set-aside") {
      assert.equal(existsSync(standby.dataDirectory), false, "neither of the two has the place");
      assert.ok(existsSync(join(`${standby.dataDirectory}.0`, "marker")), "the old one is whole");
      await stage.walmgr(standbyFile, ["restore", "--no-start"]);
      continue;
    }
    assert.equal(existsSync(marker), point !== "restore.done", point);
    assert.ok(existsSync(join(standby.dataDirectory, "standby.signal")), point);
  }
  await stage.walmgr(standbyFile, ["restore", "--no-start"]);
  await stage.startRestored(standby);
  const refused = await stage.run(standbyFile, ["restore"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /a server runs on /);
  await standby.stop("immediate");
});

test("a missing segment is named by verify and check, and refused by a restore that needs it", async () => {
  await stage.walmgr(await stage.primaryFile({ backup_wal: "archive", keep_backups: "3" }), ["backup"]);
  const [newest] = JSON.parse((await stage.walmgr(file, ["listbackups", "--json"])).stdout) as {
    readonly firstSegment: string;
  }[];
  await stage.switchWal();
  await stage.switchWal();
  const path = join(stage.archive, "logs.complete", newest!.firstSegment);
  const content = await readFile(path);
  spawnSync("rm", [path]);
  const verify = await stage.run(file, ["verify", "--wal-only"]);
  assert.equal(verify.code, 1);
  assert.match(verify.stdout, new RegExp(`segment ${newest!.firstSegment} is missing`));
  const check = await stage.run(file, ["check"]);
  assert.equal(check.code, 2);
  assert.match(check.stdout, new RegExp(`CRITICAL gaps: segment ${newest!.firstSegment} is missing`));
  const copy = stage.place();
  const refused = await stage.run(file, ["restore", "data.master", copy.dataDirectory]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /the archive lacks WAL that backup set data\.master needs/);
  await writeFile(path, content);
});

test("an incremental backup is restored with what it is based on", async (context) => {
  if (stage.primary.serverVersion < 170000) {
    const refused = await stage.run(file, ["backup", "--incremental"]);
    assert.match(refused.stderr, /incremental backups need PostgreSQL 17/);
    context.skip("PostgreSQL 17 and newer only");
    return;
  }
  await stage.primary.query("alter system set summarize_wal = on");
  await stage.primary.reload();
  await stage.primary.query("truncate t");
  await stage.primary.query("insert into t select i, 'full' from generate_series(1, 20000) i");
  const keeping = await stage.primaryFile({ keep_backups: "1" });
  await stage.walmgr(keeping, ["backup"]);
  await stage.primary.query("update t set v = 'first' where id <= 100");
  await stage.walmgr(keeping, ["backup", "--incremental"]);
  await stage.primary.query("create table later as select 1 as n; delete from t where id > 19000");
  await stage.walmgr(keeping, ["backup", "--incremental"]);
  const listed = await sets();
  assert.equal(listed.length, 3, "what the newest set is based on stays");
  assert.equal(listed[0]!.basedOn, listed[1]!.id);
  await stage.primary.query("insert into t values (0, 'after')");
  await stage.switchWal();
  assert.equal(await restoredCount(), 19_001);
  assert.equal((await stage.run(file, ["verify"])).code, 0);
});

test("the backup of another host arrives over ssh", async () => {
  const env = await fakeSsh(stage.root);
  const archive = join(stage.root, "far archive");
  const slaveFile = await stage.file({ walmgr_data: archive, backup_compression: "gzip" });
  const remote = await stage.file({
    master_db: stage.primary.connstr(),
    master_data: stage.primary.dataDirectory,
    master_config: join(stage.primary.dataDirectory, "postgresql.conf"),
    slave: "far",
    slave_config: slaveFile,
    remote_walmgr_path: walmgrPath(),
    walmgr_data: archive,
  });
  await stage.walmgr(slaveFile, ["setup"]);
  const failed = await stage.run(remote, ["backup"], { ...env, FAKE_SSH: "cut" });
  assert.notEqual(failed.code, 0);
  await waitFor("the far side to clean up", async () => {
    const names = await readdir(archive);
    return !names.includes("data.master.new") && !existsSync(join(archive, "logs.complete/BACKUPLOCK"));
  });
  await stage.walmgr(remote, ["backup"], env);
  assert.equal((await sets(slaveFile)).length, 1);
  assert.ok(existsSync(join(archive, "config.backup/postgresql.conf")));
  assert.equal((await stage.run(slaveFile, ["verify"])).code, 0);
});

test("a dry run changes nothing", async () => {
  const tree = (root: string) =>
    spawnSync("find", [root, "-printf", "%P %s %T@\n"], { encoding: "utf8" }).stdout.split("\n").sort();
  const standby = stage.place();
  const standbyFile = await stage.standbyFile(standby, { primary_conninfo: stage.primary.connstr() });
  // The one of the last backup goes with its connection.
  const slots = () => stage.primary.query("select slot_name from pg_replication_slots where not temporary");
  await stage.settleArchive();
  const before = tree(stage.archive);
  const slotsBefore = await slots();
  const runs: [string, string[]][] = [
    [file, ["backup"]],
    [file, ["setup"]],
    [file, ["stop", "--force"]],
    [file, ["sync"]],
    [file, ["expire"]],
    [file, ["synch-standby"]],
    [file, ["cleanup"]],
    [standbyFile, ["restore"]],
    [standbyFile, ["createslave"]],
    [standbyFile, ["cleanup"]],
    [standbyFile, ["pause"]],
    [standbyFile, ["continue"]],
    [standbyFile, ["xlock", "5"]],
    [standbyFile, ["xrotate"]],
    [standbyFile, ["xpurgewals"]],
    [standbyFile, ["setup"]],
  ];
  for (const [of, words] of runs) {
    for (const flag of ["--dry-run", "--not-really"]) {
      const result = await stage.run(of, [...words, flag]);
      assert.equal(result.code, 0, `${words.join(" ")}: ${result.stderr}`);
    }
  }
  assert.deepEqual(tree(stage.archive), before);
  assert.deepEqual(await slots(), slotsBefore);
  assert.equal(existsSync(standby.dataDirectory), false);
});
