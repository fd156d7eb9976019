import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { startProgram, waitFor } from "@skytools/testbed";
import { assertIdentical, dieAndGoOn } from "../fixture/die-and-go-on.js";
import { Load, loadRows, loadTables } from "../fixture/load.js";
import { queueName, Replication } from "../fixture/replication.js";

let stage: Replication;

before(async () => {
  stage = await Replication.startNodes(loadTables, {
    pgq_batch_collect_events: "1000",
    pgq_batch_collect_interval: "300 milliseconds",
    threaded_copy_tables: "public.acc*",
    threaded_copy_pool_size: "3",
  });
  await stage.run("root", loadRows(100_000));
  await stage.londiste("root", "add-table", "account", "history");
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

/** The copy has begun. Nobody says that it is not through yet when we see it. */
const begun = /in-copy|catching-up|sync|ok/;

/** Kills the copy process of a table, unless that is through already. */
async function killCopy(table: string): Promise<void> {
  await waitFor(`a copy process of ${table}`, async () => {
    const pid = await readFile(stage.path(`leaf.pid.copy.public.${table}`), "utf8").catch(() => "");
    return pid === "" ? stage.isInSync(`public.${table}`) : process.kill(Number(pid), "SIGKILL");
  });
}

test("worker, copy process and ticker are killed in turn under load, and nothing is lost or doubled", async () => {
  await using load = new Load(stage);
  await stage.londiste("leaf", "add-table", "account", "history");
  await stage.waitForState("public.account", begun);
  await killCopy("account");
  await stage.waitForState("public.account", begun);
  await stage.killProcess("leaf worker");
  stage.startWorker("leaf");
  await stage.killProcess("pgqd");
  stage.startTicker();
  await stage.waitForState("public.history", /ok/);
  await stage.killProcess("leaf worker");
  stage.startWorker("leaf");
  await stage.waitForState("public.account", /ok/);
  await stage.killProcess("root worker");
  stage.startWorker("root");
  const underLoad = await stage.londiste("leaf", "compare", "--force");
  assert.match(underLoad.stdout, /public\.account identical[\s\S]*public\.history identical/);
  await load.stop();
  assert.ok(load.transactions > 100, `only ${load.transactions} transactions`);
  await assertIdentical(stage);
});

const crashPoints = [
  "copier.started",
  "copy.after-register",
  "copy.before-data",
  "copy.after-data",
  "copy.before-commit",
  "copy.after-commit",
  "copy.before-replay-commit",
  "copy.after-ask",
  "copy.before-take-over",
  "copy.after-take-over",
  "worker.before-apply",
  "worker.before-target-commit",
  "worker.after-target-commit",
  "worker.after-source-finish",
] as const;

for (const point of crashPoints) {
  test(`a process that dies at ${point} goes on where it was`, () =>
    dieAndGoOn(stage, `${point}=kill`, "history"));
}

const streamCrashPoints = [
  "copy.before-streams",
  "copy.before-stream-commit",
  "copy.after-stream-commit",
  "copy.after-data",
  "copy.before-commit",
] as const;

const accountIndexes = `select pg_get_indexdef(i.indexrelid) as index, pg_get_constraintdef(c.oid) as key
  from pg_index i left join pg_constraint c on c.conindid = i.indexrelid where i.indrelid = 'account'::regclass`;

for (const point of streamCrashPoints) {
  test(`a copy in several streams that dies at ${point} begins anew, with keys and indexes at its end`, async () => {
    const before = await stage.query("leaf", accountIndexes);
    const seen = stage.log("leaf").length;
    await dieAndGoOn(stage, `${point}=kill`, "account");
    assert.match(stage.log("leaf").slice(seen), /public\.account: start copy in 3 streams/);
    assert.ok(before.length > 0);
    assert.deepEqual(await stage.query("leaf", accountIndexes), before);
    assert.deepEqual(
      await stage.query("leaf", "select from londiste.table_info where dropped_ddl is not null"),
      [],
    );
  });
}

test("a table whose copy died while it built indexes is removed, empty and with its keys, and can be added again", async () => {
  await stage.waitForCopiesToEnd();
  const before = await stage.query("leaf", accountIndexes);
  await stage.killProcess("leaf worker");
  await stage.query("leaf", "select londiste.local_set_table_state($1, 'public.account', null, 'in-copy')", [
    queueName,
  ]);
  const env = { SKYTOOLS_CRASH_POINT: "copy.after-index-commit=kill" };
  const copy = startProgram("londiste3", ["leaf.ini", "copy", "account", "--set=pidfile="], {
    cwd: stage.directory,
    env,
  });
  assert.equal((await copy.exit).signal, "SIGKILL", copy.stderrText());
  const [key] = await stage.query("leaf", accountIndexes);
  assert.equal(key?.key, null, "the index of the key is there, the key is not");
  await stage.londiste("leaf", "remove-table", "account");
  assert.deepEqual(await stage.query("leaf", accountIndexes), before);
  assert.deepEqual(await stage.query("leaf", "select from account limit 1"), []);
  stage.startWorker("leaf");
  await stage.londiste("leaf", "add-table", "account", "--wait-sync");
  await assertIdentical(stage);
});

test("either server is restarted while tables are copied and replayed", async () => {
  await using load = new Load(stage);
  await stage.londiste("leaf", "resync", "account");
  await stage.waitForState("public.account", begun);
  await stage.clusters.leaf.restart("immediate");
  await stage.waitForState("public.account", /catching-up|sync|ok/);
  await stage.clusters.root.restart("immediate");
  await stage.waitForState("public.account", /ok/);
  await load.stop();
  await assertIdentical(stage);
});

test("what a command has reported as done is done after a crash, though commits of the database do not wait for the disk", async () => {
  await stage.query("leaf", "alter database shop set synchronous_commit = off");
  await stage.query("leaf", "alter system set wal_writer_delay = '10s'");
  await stage.query("leaf", "select pg_reload_conf()");
  await stage.killProcess("leaf worker");
  await stage.londiste("leaf", "remove-table", "history");
  await stage.clusters.leaf.restart("immediate");
  assert.deepEqual(await stage.states(), { "public.account": "ok" });
});
