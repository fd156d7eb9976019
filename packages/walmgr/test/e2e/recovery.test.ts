import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { commandPath, runProgram, waitFor } from "@skytools/testbed";
import { Stage } from "../fixture/stage.js";

let stage: Stage;
let primaryFile: string;

before(async () => {
  stage = await Stage.start();
  primaryFile = await stage.primaryFile();
  await stage.primary.query("create table t (id int primary key, v text)");
  await stage.walmgr(primaryFile, ["setup"]);
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

async function fill(from: number, to: number): Promise<void> {
  await stage.primary.query(
    `insert into t select i, repeat('x', 100) from generate_series(${from}, ${to}) i`,
  );
}

for (const compression of ["none", "zstd"]) {
  test(`a backup (compression ${compression}) and the archive bring the database back to a named point`, async () => {
    await stage.primary.query("truncate t");
    await fill(1, 1000);
    const file = await stage.primaryFile({ backup_compression: compression });
    const space = await stage.directory(`space-${compression}`);
    await stage.primary.query(`create tablespace s_${compression} location '${space}'`);
    await stage.primary.query(`create table far_${compression} tablespace s_${compression} as select 7 as n`);
    await stage.walmgr(file, ["backup"]);
    await fill(1001, 3000);
    await stage.primary.query(`select pg_create_restore_point('here_${compression}')`);
    await fill(3001, 4000);
    await stage.switchWal();
    const copy = stage.place();
    const newSpace = join(stage.root, `restored-${compression}`);
    const words = [
      "restore",
      "data.master",
      copy.dataDirectory,
      `--target-name=here_${compression}`,
      `--tablespace=${space}=${newSpace}`,
      ...(compression === "none" ? [] : [`--tablespace=${join(stage.root, "space-none")}=${newSpace}-2`]),
    ];
    const killed = await stage.run(file, words, { SKYTOOLS_CRASH_POINT: "restore.unpacked=kill" });
    assert.equal(killed.code, 137, killed.stderr);
    assert.equal((await readdir(newSpace)).length, 2, "what is left in the tablespace is in nobody's way");
    await stage.walmgr(file, words);
    assert.equal((await readdir(newSpace)).length, 1);
    await stage.startRestored(copy);
    await stage.waitForPrimary(copy);
    const [row] = await copy.query<{ count: number; top: number }>(
      "select count(*)::int, max(id) as top from t",
    );
    assert.deepEqual(row, { count: 3000, top: 3000 });
    const [far] = await copy.query<{ n: number }>(`select n from far_${compression}`);
    assert.equal(far?.n, 7);
    const [mode] = await copy.query<{ archive_mode: string }>("show archive_mode");
    assert.equal(mode?.archive_mode, "off", "a copy does not write into the archive");
  });
}

test("listbackups shows what there is, newest first", async () => {
  const { stdout } = await stage.walmgr(primaryFile, ["listbackups"]);
  assert.match(stdout, /^\nList of backups:\n\nBackup set {6}Timestamp .*\n-+\ndata\.master .*FullBackup/);
  const json = JSON.parse((await stage.walmgr(primaryFile, ["listbackups", "--json"])).stdout) as {
    name: string;
  }[];
  assert.deepEqual(
    json.map((set) => set.name),
    ["data.master"],
  );
});

async function filesBelow(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).sort();
}

test("rejoin --clone takes no tablespace directory that holds something, and nothing is lost", async (context) => {
  const old = stage.place();
  const beside = dirname(old.dataDirectory);
  const file = await stage.primaryFile({ master_data: old.dataDirectory });
  const words = [file, "rejoin", stage.primary.connstr(), "--clone", "--no-start"];
  const spaces = ["space-none", "space-zstd"].map((name) => join(stage.root, name));
  await mkdir(old.dataDirectory);
  await writeFile(join(old.dataDirectory, "old"), "");
  const refusal = /tablespace directory .*\/space-.* is not empty\nHINT: Move what is in it/;

  // Those of the running server itself.
  const before = await Promise.all(spaces.map(filesBelow));
  const refused = await runProgram("walmgr", words);
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stderr, refusal);
  for (const [index, space] of spaces.entries()) {
    const left = await filesBelow(space);
    assert.deepEqual(
      before[index]!.filter((path) => !left.includes(path)),
      [],
    );
  }
  assert.deepEqual(await readdir(beside), ["data"]);
  assert.deepEqual(await readdir(old.dataDirectory), ["old"]);
  const slots = await stage.primary.query("select slot_name from pg_replication_slots");
  assert.deepEqual(slots, [], "nothing holds WAL for a standby that is not there");

  // On another host, that is with other directories under the same names.
  const others = spaces.map((space) => `${space}-old`);
  for (const [index, space] of spaces.entries()) await cp(space, others[index]!, { recursive: true });
  const mounts = 'mount --bind "$1" "$2" && mount --bind "$3" "$4" && shift 4 && exec "$@"';
  const pairs = spaces.flatMap((space, index) => [others[index]!, space]);
  const elsewhere = ["--mount", "--propagation", "private", "sh", "-c", mounts, "sh", ...pairs];
  if (process.getuid?.() !== 0 || spawnSync("unshare", [...elsewhere, "true"]).status !== 0) {
    context.diagnostic("only root can have other directories under the same names");
    return;
  }
  const rejoin = () =>
    runProgram("unshare", [...elsewhere, process.execPath, commandPath("walmgr"), ...words]);
  const copied = await Promise.all(others.map(filesBelow));
  const refusedThere = await rejoin();
  assert.equal(refusedThere.code, 1, refusedThere.stderr);
  assert.match(refusedThere.stderr, refusal);
  assert.deepEqual(await Promise.all(others.map(filesBelow)), copied);
  for (const other of others) {
    await rename(other, `${other}-moved`);
    await mkdir(other);
  }
  const done = await rejoin();
  assert.equal(done.code, 0, done.stderr);
  for (const other of others) assert.match((await readdir(other)).join(), /^PG_\d+_\d+$/);
  assert.deepEqual((await readdir(beside)).sort(), ["data", "data.0"]);
  assert.deepEqual(await readdir(`${old.dataDirectory}.0`), ["old"]);
});

test("a standby follows the archive and takes over; nothing archived is missing", async () => {
  const standby = stage.place();
  const standbyFile = await stage.standbyFile(standby);
  const moves = (
    await stage.primary.query<{ p: string }>(
      "select pg_tablespace_location(oid) p from pg_tablespace where spcname like 's\\_%'",
    )
  ).map(({ p }) => `--tablespace=${p}=${p}-standby`);
  await stage.walmgr(standbyFile, ["restore", "--no-start", ...moves]);
  await stage.startRestored(standby);
  await fill(5001, 6000);
  await stage.switchWal();
  const boot = await stage.walmgr(standbyFile, ["boot", "--json"]);
  assert.equal((JSON.parse(boot.stdout) as { timeline: number }).timeline, 2);
  const [row] = await standby.query<{ top: number }>("select max(id) as top from t");
  assert.equal(row?.top, 6000);
  assert.ok(!(await stage.archivedNames()).includes("STOP"));
  await standby.query("create table after_boot as select 1");
  await standby.query("select pg_switch_wal()");
  await waitFor("the new timeline in the archive", async () => {
    const names = await stage.archivedNames();
    return names.includes("00000002.history") && names.some((name) => /^00000002[0-9A-F]{16}$/.test(name));
  });
  assert.match(await readFile(join(stage.archive, "logs.complete/00000002.history"), "utf8"), /^1\t/);
  await waitFor("no draft in the archive", async () => {
    const names = await readdir(join(stage.archive, "logs.complete"));
    return !names.some((name) => name.endsWith(".tmp"));
  });
});

test("a backup from after a fork is not restored into the other branch, and nothing is touched", async () => {
  await stage.walmgr(primaryFile, ["backup"]);
  const copy = stage.place();
  const refused = await stage.run(primaryFile, ["restore", "data.master", copy.dataDirectory]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /cannot be recovered into timeline 2: timeline 2 left timeline 1 at /);
  assert.deepEqual(await readdir(copy.socketDir), []);
});
