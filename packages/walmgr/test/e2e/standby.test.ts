import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Cluster, runProgram, waitFor } from "@skytools/testbed";
import { Stage } from "../fixture/stage.js";

let stage: Stage;
let primaryFile: string;
let standby: Cluster;
let standbyFile: string;

before(async () => {
  stage = await Stage.start();
  primaryFile = await stage.primaryFile();
  await stage.primary.query("create table t (id int primary key)");
  await stage.walmgr(primaryFile, ["setup"]);
  standby = stage.place();
  standbyFile = await stage.standbyFile(standby, {
    primary_conninfo: stage.primary.connstr(),
    slave_db: standby.connstr(),
  });
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

async function rowsOn(cluster: Cluster): Promise<number> {
  const [row] = await cluster.query<{ count: number }>("select count(*)::int from t");
  return row!.count;
}

async function waitForRows(cluster: Cluster, count: number): Promise<void> {
  await waitFor(`${count} rows`, async () => (await rowsOn(cluster)) === count);
}

test("createslave makes a streaming standby with a slot of its own", async () => {
  await stage.primary.query("insert into t select generate_series(1, 10)");
  await stage.walmgr(standbyFile, ["createslave", "--no-start"]);
  await stage.startRestored(standby);
  await stage.primary.query("insert into t select generate_series(11, 20)");
  await waitForRows(standby, 20);
  const slots = await stage.primary.query<{ name: string; active: boolean }>(
    "select slot_name as name, active from pg_replication_slots where not temporary",
  );
  assert.deepEqual(slots, [{ name: "walmgr_standby", active: true }]);
});

test("pause and continue stop and go on with the replay", async () => {
  await stage.walmgr(standbyFile, ["pause"]);
  await stage.primary.query("insert into t values (21)");
  const [state] = await standby.query<{ s: string }>("select pg_get_wal_replay_pause_state() as s");
  assert.equal(state?.s, "paused");
  assert.equal(await rowsOn(standby), 20);
  await stage.walmgr(standbyFile, ["continue"]);
  await waitForRows(standby, 21);
});

test("synch-standby wants the standbys connected", async () => {
  const refused = await stage.run(primaryFile, ["synch-standby", "nobody"]);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /1 of nobody must be connected, or every commit would wait; connected: walreceiver/,
  );
  await stage.walmgr(primaryFile, ["synch-standby", "walreceiver"]);
  await stage.walmgr(primaryFile, ["synch-standby", ""]);
});

test("--synch-standby does the same for the server that the environment names", async () => {
  const { socketDir, port } = stage.primary;
  const withoutFile = (names: string) =>
    runProgram("walmgr", [`--synch-standby=${names}`], {
      env: { PGHOST: socketDir, PGPORT: String(port), PGUSER: "postgres" },
    });
  const names = async () =>
    (
      await stage.primary.query<{ names: string }>(
        "select current_setting('synchronous_standby_names') as names",
      )
    )[0]?.names;
  const refused = await withoutFile("nobody");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^walmgr: error: 1 of nobody must be connected/);
  const set = await withoutFile("walreceiver");
  assert.deepEqual(
    [set.code, set.stdout],
    [0, `alter system set synchronous_standby_names = '"walreceiver"'\n`],
  );
  await waitFor("the setting", async () => (await names()) === '"walreceiver"');
  assert.equal((await withoutFile("")).code, 0);
  await waitFor("the setting to be gone", async () => (await names()) === "");
});

test("status and check tell about archive, slots and possible loss, as text, JSON and metrics", async () => {
  await stage.switchWal();
  const check = await stage.run(primaryFile, ["check"]);
  assert.match(check.stdout, /OK gaps: no WAL is missing/);
  assert.match(check.stdout, /OK slot walmgr_standby: is in use/);
  const findings = check.stdout.trimEnd().split("\n");
  assert.equal(check.code, ["OK", "WARNING", "CRITICAL"].indexOf(findings[0]!.split(" ")[0]!), check.stderr);
  // How long the space of this machine's disk lasts is its own affair.
  const bad = findings.filter((line) => !/^OK |^\w+ (backup )?space: /.test(line));
  assert.deepEqual(bad, []);
  const status = JSON.parse((await stage.walmgr(primaryFile, ["status", "--json"])).stdout) as {
    readonly archive: { readonly backups: readonly unknown[] };
    readonly lag: { readonly segments: number };
    readonly possibleLoss: { readonly bytes: number };
    readonly primary: { readonly flushedLsn: string };
  };
  assert.match(status.primary.flushedLsn, /^[0-9A-F]+\/[0-9A-F]+$/);
  assert.equal(status.archive.backups.length, 1);
  assert.equal(status.lag.segments, 0);
  assert.ok(status.possibleLoss.bytes >= 0);
  const metrics = (await stage.walmgr(primaryFile, ["check", "--metrics"])).stdout;
  assert.match(metrics, /^# TYPE walmgr_archive_lag_segments gauge$/m);
  assert.match(metrics, /^walmgr_slot_active\{slot="walmgr_standby"\} 1$/m);
  assert.match(metrics, /# EOF\n$/);
});

test("boot refuses while the primary answers; after its loss it takes over, and the old one comes back as a standby", async (context) => {
  const refused = await stage.run(standbyFile, ["boot"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /the old primary still answers/);
  await stage.primary.killHard();
  await stage.walmgr(standbyFile, ["boot"]);
  assert.equal(await rowsOn(standby), 21);
  await standby.query("insert into t values (100)");

  // What only the old primary has, as after a split: it must go.
  await stage.primary.start();
  await stage.primary.query("insert into t values (999)");
  await stage.primary.stop();
  const hasRewind = existsSync(join(stage.primary.binDir, "pg_rewind"));
  if (!hasRewind) {
    const without = await stage.run(primaryFile, ["rejoin", standby.connstr(), "--no-start"], {
      PATH: "/nonexistent",
    });
    assert.match(without.stderr, /pg_rewind was not found/);
    context.diagnostic("no pg_rewind here: rejoin --clone is tested instead");
  }
  const way = hasRewind ? [] : ["--clone"];
  await stage.walmgr(primaryFile, ["rejoin", standby.connstr(), "--no-start", ...way]);
  await stage.startRestored(stage.primary);
  await standby.query("insert into t values (101)");
  await waitForRows(stage.primary, 23);
  const ids = await stage.primary.query<{ id: number }>("select id from t where id > 21 order by id");
  assert.deepEqual(
    ids.map((row) => row.id),
    [100, 101],
  );
});
