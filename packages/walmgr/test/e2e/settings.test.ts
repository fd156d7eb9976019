import assert from "node:assert/strict";
import { existsSync, lstatSync, realpathSync, statSync } from "node:fs";
import { chown, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { writeAutoConf } from "#src/restore/server-settings.js";
import { Stage } from "../fixture/stage.js";

let stage: Stage;
let primaryFile: string;

before(async () => {
  stage = await Stage.start({
    // A checkpoint that may take its time takes none.
    settings: { archive_mode: "off", log_checkpoints: "on", checkpoint_completion_target: "0" },
  });
  primaryFile = await stage.primaryFile({ master_restart_cmd: `touch "${stage.root}/restarted"` });
  await stage.primary.query("create table t (id int primary key)");
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

async function fileSettings(): Promise<Record<string, string>> {
  const rows = await stage.primary.query<{ name: string; setting: string }>(
    `select name, setting from pg_file_settings
       where sourcefile like '%auto.conf' and name in ('archive_mode', 'archive_command')`,
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

test("setup has the server restarted where a setting needs it; stop gives back what there was", async () => {
  await stage.primary.query("alter system set archive_command = 'my-own %p'");
  await stage.primary.reload();
  const setup = await stage.walmgr(primaryFile, ["setup", "--no-proof"]);
  assert.match(setup.stderr, /set archive_mode = 'on' \(was 'off'\), needs a restart/);
  assert.ok(existsSync(join(stage.root, "restarted")));
  await stage.walmgr(primaryFile, ["stop"]);
  assert.deepEqual(await fileSettings(), { archive_mode: "off", archive_command: "my-own %p" });
  await stage.walmgr(primaryFile, ["setup", "--no-proof"]);
  await stage.primary.stop();
  await stage.primary.start();
  assert.match((await stage.walmgr(primaryFile, ["setup"])).stderr, /Archiving works/);
  await stage.walmgr(primaryFile, ["backup"]);
});

test("restore puts WAL and configuration where the file says, stops and starts the server as told, and removes the old one", async () => {
  const standby = stage.place();
  const place = (name: string) => join(stage.root, name);
  const file = await stage.standbyFile(standby, {
    slave_pg_xlog: place("wal space"),
    slave_config_dir: place("etc"),
    slave_start_cmd: `touch "${place("started")}"`,
    backup_datadir: "no",
  });
  // The archive's host must not choose what is copied, nor a link over here where to.
  const inBackup = join(stage.archive, "config.backup/pg_ident.conf");
  await rm(inBackup);
  await symlink(join(stage.primary.dataDirectory, "PG_VERSION"), inBackup);
  await stage.directory("etc");
  await symlink(place("nowhere"), join(place("etc"), "pg_hba.conf"));
  await stage.walmgr(file, ["restore"]);
  assert.ok(!existsSync(join(place("etc"), "pg_ident.conf")) && !existsSync(place("nowhere")));
  await rm(inBackup);
  assert.equal(realpathSync(join(standby.dataDirectory, "pg_wal")), realpathSync(place("wal space")));
  assert.ok(existsSync(place("started")));
  assert.equal(
    await readFile(join(place("etc"), "postgresql.conf"), "utf8"),
    await readFile(join(stage.archive, "config.backup/postgresql.conf"), "utf8"),
  );
  await writeFile(join(standby.dataDirectory, "marker"), "");
  const refused = await stage.run(file, ["restore"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /WAL directory .*wal space is not empty/);
  assert.ok(existsSync(join(standby.dataDirectory, "marker")), "the old one is as it was");
  await rm(place("wal space"), { recursive: true });
  const killed = await stage.run(file, ["restore"], { SKYTOOLS_CRASH_POINT: "restore.complete=kill" });
  assert.equal(killed.code, 137, killed.stderr);
  await stage.walmgr(file, ["restore"]);
  assert.ok(!existsSync(join(standby.dataDirectory, "marker")));
  assert.ok(lstatSync(join(standby.dataDirectory, "pg_wal")).isSymbolicLink());
  assert.deepEqual(
    (await readdir(standby.socketDir)).filter((name) => name.startsWith("data.")),
    [],
  );

  await stage.startRestored(standby);
  const running = await stage.run(file, ["restore"]);
  assert.equal(running.code, 1);
  assert.match(running.stderr, /a server runs on .*\nHINT: Stop it, or set slave_stop_cmd\./);
  const stopping = await stage.standbyFile(standby, {
    slave_stop_cmd: `"${standby.binDir}/pg_ctl" -D "${standby.dataDirectory}" -m fast stop`,
  });
  await stage.walmgr(stopping, ["restore", "--no-start"]);
  assert.equal(existsSync(join(standby.dataDirectory, "postmaster.pid")), false);
  assert.ok(existsSync(join(`${standby.dataDirectory}.0`, "PG_VERSION")));
});

test("a restore goes to a position, to a moment, to a transaction, or only until it is consistent, and waits there when told to", async () => {
  await stage.primary.query("insert into t values (1)");
  const [at] = await stage.primary.query<{ lsn: string; time: string }>(
    "select pg_current_wal_lsn()::text as lsn, clock_timestamp()::text as time",
  );
  const [second] = await stage.primary.query<{ xid: string }>(
    "insert into t values (2) returning pg_current_xact_id()::text as xid",
  );
  await stage.primary.query("insert into t values (3)");
  await stage.switchWal();
  const cases = [
    ["--target-immediate", 0],
    [`--target-lsn=${at!.lsn}`, 1],
    [`--target-time=${at!.time}`, 1],
    [`--target-xid=${second!.xid}`, 2],
  ] as const;
  for (const [target, expected] of cases) {
    const copy = stage.place();
    const action = expected === 2 ? ["--target-action=pause"] : [];
    await stage.walmgr(primaryFile, ["restore", "data.master", copy.dataDirectory, target, ...action]);
    await stage.startRestored(copy);
    if (expected === 2) {
      await waitFor("the pause", async () => {
        const [row] = await copy.query<{ isPaused: boolean }>(
          `select pg_is_in_recovery() and pg_is_wal_replay_paused() as "isPaused"`,
        );
        return row?.isPaused;
      });
    } else await stage.waitForPrimary(copy);
    const [row] = await copy.query<{ count: number }>("select count(*)::int from t");
    assert.equal(row?.count, expected, target);
    await copy.stop("immediate");
  }
  for (const [words, message] of [
    [["--target-xid=x"], /"x" is not a transaction id/],
    [["--target-immediate", "--target-name=x"], /only one recovery target/],
    [["--timeline=0"], /"0" is not a timeline/],
    [["--target-action=sleep"], /"sleep" is none of promote, pause, shutdown/],
    [["--standby", "--target-name=x"], /--standby goes with neither/],
    [["--target-lsn=0/1"], /no backup set was complete before lsn 0\/1|is consistent from/],
  ] as const) {
    const copy = stage.place();
    const refused = await stage.run(primaryFile, ["restore", "latest", copy.dataDirectory, ...words]);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, message);
    assert.deepEqual(await readdir(copy.socketDir), []);
  }
});

test("an expired set goes only when the administrator's archive_command has taken it", async () => {
  const checkpoints = async () =>
    [...(await readFile(stage.primary.logFile, "utf8")).matchAll(/checkpoint starting: (.*)/g)].map(
      ([, how]) => how,
    );
  const before = (await checkpoints()).length;
  const spread = await stage.primaryFile({ keep_backups: "5", backup_checkpoint: "spread" });
  await stage.walmgr(spread, ["backup"]);
  assert.ok((await checkpoints()).slice(before).includes("force wait"), "none that hurries");
  const taken = join(stage.root, "taken");
  const file = (command: string) =>
    stage.file({ walmgr_data: stage.archive, keep_backups: "1", archive_command: command });
  const refused = await stage.run(await file("exit 3"), ["expire"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /archive_command failed for .*data\.master\.0 \(exit code 3\): the set stays/);
  assert.ok(existsSync(join(stage.archive, "data.master.0")));
  await stage.walmgr(await file(`echo "$BACKUPDIR" > "${taken}"`), ["expire"]);
  assert.equal(await readFile(taken, "utf8"), `${join(stage.archive, "data.master.0")}\n`);
  assert.ok(!existsSync(join(stage.archive, "data.master.0")));
});

test("values with quotes, backslashes and line ends reach a server as they are", async () => {
  const values = ["it's", 'a "b"', "back\\slash\\", "two\nlines\r", "$x %y # z", ""];
  const path = join(stage.primary.dataDirectory, "postgresql.auto.conf");
  const before = await readFile(path, "utf8");
  await writeAutoConf(
    stage.primary.dataDirectory,
    new Map(values.map((value, nr) => [`walmgr_test.v${nr}`, value])),
  );
  const owner = statSync(stage.primary.dataDirectory);
  await chown(path, owner.uid, owner.gid);
  const rows = await stage.primary.query<{ setting: string }>(
    "select setting from pg_file_settings where name like 'walmgr_test.%' order by name",
  );
  await writeFile(path, before);
  assert.deepEqual(
    rows.map(({ setting }) => setting),
    values,
  );
});
