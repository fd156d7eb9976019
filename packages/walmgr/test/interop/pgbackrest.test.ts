import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runProgram, waitFor } from "@skytools/testbed";
import { Stage } from "../fixture/stage.js";

// Debian's pgBackRest, with the release of PostgreSQL that it knows.
const program = "/usr/bin/pgbackrest";
const binDir = "/usr/lib/postgresql/15/bin";
const skip =
  existsSync(program) && existsSync(binDir) ? false : "pgBackRest or PostgreSQL 15 is not installed";

let stage: Stage;
let primaryFile: string;
let engine: Record<string, string>;

before(async () => {
  if (skip !== false) return;
  stage = await Stage.start({ binDir });
  const config = join(stage.root, "pgbackrest.conf");
  const place = (name: string) => join(stage.root, name);
  const global = {
    "repo1-path": place("repo"),
    "lock-path": place("lock"),
    "spool-path": place("spool"),
    "log-level-file": "off",
    "repo1-retention-full": "2",
    "start-fast": "y",
    "archive-timeout": "120",
  };
  const cluster = {
    "pg1-path": stage.primary.dataDirectory,
    "pg1-socket-path": stage.primary.socketDir,
    "pg1-port": String(stage.primary.port),
    "pg1-user": "postgres",
  };
  const lines = (of: Record<string, string>) => Object.entries(of).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(config, `[global]\n${lines(global).join("")}[main]\n${lines(cluster).join("")}`);
  engine = { archive_engine: "pgbackrest", engine_command: program, engine_config: config };
  primaryFile = await stage.primaryFile(engine);
  await stage.primary.query("create table t as select generate_series(1, 1000) as id");
});

after(async () => {
  await stage?.[Symbol.asyncDispose]();
});

test("setup makes the stanza, and proves that segments arrive", { skip }, async () => {
  const steps = await stage.walmgr(primaryFile, ["setup", "--dry-run"]);
  assert.match(steps.stdout, /--stanza=main --config=\S+ stanza-create/);
  const setup = await stage.walmgr(primaryFile, ["setup"]);
  assert.match(setup.stderr, /Archiving works: [0-9A-F]{24} is in the archive/);
  assert.ok(existsSync(join(stage.root, "repo/archive/main")));
});

test("backup, listbackups, status, check and verify speak of the engine's backups", { skip }, async () => {
  const before = await stage.run(primaryFile, ["check"]);
  assert.equal(before.code, 2, before.stdout);
  assert.match(before.stdout, /CRITICAL backup: there is no backup/);
  await stage.walmgr(primaryFile, ["backup"]);
  await stage.walmgr(primaryFile, ["backup", "--incremental"]);
  const list = await stage.walmgr(primaryFile, ["listbackups"]);
  assert.match(list.stdout, /full backup: \d{8}-\d{6}F[\s\S]*incr backup: /);
  const status = JSON.parse((await stage.walmgr(primaryFile, ["status", "--json"])).stdout) as {
    readonly archive: {
      readonly systemIdentifier: string;
      readonly backups: readonly { readonly name: string; readonly isIncremental: boolean }[];
    };
    readonly lag: { readonly segments: number };
  };
  const [system] = await stage.primary.query<{ id: string }>(
    "select system_identifier::text as id from pg_control_system()",
  );
  assert.equal(status.archive.systemIdentifier, system!.id);
  assert.deepEqual(
    status.archive.backups.map((backup) => backup.isIncremental),
    [true, false],
  );
  assert.equal(status.lag.segments, 0);
  assert.match((await stage.walmgr(primaryFile, ["status"])).stdout, /^archive +pgBackRest, stanza main$/m);
  const check = await stage.run(primaryFile, ["check", "--metrics"]);
  assert.equal(check.code, 0, check.stdout);
  assert.match(check.stdout, /^walmgr_backups 2$/m);
  assert.equal((await stage.run(primaryFile, ["verify"])).code, 0);
  assert.equal((await stage.run(primaryFile, ["expire"])).code, 0);
});

test("restore to a named point, and as a standby that takes over", { skip }, async () => {
  await stage.primary.query("select pg_create_restore_point('here')");
  await stage.primary.query("insert into t select generate_series(1001, 2000)");
  await stage.switchWal();
  const copy = stage.place();
  const words = ["restore", "latest", copy.dataDirectory, "--target-name=here"];
  const steps = await stage.walmgr(primaryFile, [...words, "--dry-run"]);
  assert.match(steps.stdout, /--type=name --target=here --target-timeline=latest restore/);
  assert.equal(existsSync(copy.dataDirectory), false);
  const unknown = await stage.run(primaryFile, ["restore", "20000101-000000F", copy.dataDirectory]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /pgbackrest could not restore \(exit code \d+\): nothing was changed/);
  assert.equal(existsSync(copy.dataDirectory), false);
  await stage.walmgr(primaryFile, words);
  await stage.startRestored(copy);
  await stage.waitForPrimary(copy);
  assert.deepEqual(await copy.query("select count(*)::int from t"), [{ count: 1000 }]);
  assert.deepEqual(await copy.query("show archive_mode"), [{ archive_mode: "off" }]);
  await copy.stop("immediate");

  const standby = stage.place();
  const standbyFile = await stage.standbyFile(standby, engine);
  await stage.walmgr(standbyFile, ["restore", "--no-start"]);
  await stage.startRestored(standby);
  const rows = () => standby.query<{ count: number }>("select count(*)::int from t").catch(() => []);
  await waitFor("the standby to follow", async () => (await rows())[0]?.count === 2000);
  await stage.primary.killHard();
  await stage.walmgr(standbyFile, ["boot"]);
  assert.deepEqual(await rows(), [{ count: 2000 }]);
});

test("an engine that cannot be asked does not end a recovery", { skip }, async () => {
  const data = await stage.directory("recovering");
  await writeFile(join(data, "recovery.signal"), "");
  const file = await stage.standbyFile(stage.primary, {
    ...engine,
    engine_config: join(stage.root, "none.conf"),
  });
  const options = { cwd: data, asServerAccount: true };
  const name = "000000010000000000000001";
  const args = [file, "--set", "restore_retry_timeout=0.1", "xrestore", name, "x"];
  assert.equal((await runProgram("walmgr", args, options)).code, 200);
});
