import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type { CascadeRound } from "@skytools/pgq/cascade";
import { Config, createJob, Database, databaseConfig, frameworkConfig, type Job } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster } from "@skytools/testbed";
import { londiste } from "#src/cli.js";
import { takeCopyLock } from "#src/copy/copy-lock.js";
import { ReplayWorker } from "#src/replay/replay-worker.js";
import { silentLog } from "../fixture/apply-bench.js";

let cluster: Cluster;
let db: Database;
let job: Job;
let worker: ReplayWorker;

before(async () => {
  cluster = await startCluster();
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
});

beforeEach(async () => {
  const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"]);
  db = await Database.open(connstr);
  const config = Config.parse(
    `[londiste3]\njob_name = worker\ndb = ${connstr}\nqueue_name = q\n`,
    "londiste3",
    {
      groups: [...londiste.config, databaseConfig, frameworkConfig],
    },
  );
  job = createJob(londiste, { config, log: silentLog });
  worker = new ReplayWorker(job, "q");
  await run(`
    select pgq_node.register_location('q', 'root', 'dbname=x', false);
    select pgq_node.create_node('q', 'root', 'root', 'worker', null, null, null);
    create table parent (id int primary key);
    create table first_child (id int primary key, parent int references parent);
    create table second_child (id int primary key, parent int references parent);
    select londiste.local_add_table('q', t.name) from unnest('{parent,first_child,second_child}'::text[]) as t(name);
    select londiste.drop_table_fkey('public.' || t.name, t.name || '_parent_fkey')
      from unnest('{first_child,second_child}'::text[]) as t(name)`);
});

afterEach(async () => {
  await worker.shutdown();
  await job.databases.closeAll();
  await db.close();
});

async function run(sql: string): Promise<void> {
  await db.execute(sql);
  await db.commit();
}

/** The worker finds nothing to replay, and has brought back what it wants to bring back now. */
async function look(): Promise<void> {
  const state = { completedTick: 1n, providerNode: "root" };
  const round = { target: db, queueName: "q", consumerName: "worker", state } as CascadeRound;
  await worker.idle(round, db);
  await worker.shutdown();
}

async function keys(): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    "select conname as name from pg_constraint where conname like '%child_parent_fkey' and convalidated order by 1",
  );
  await db.commit();
  return rows.map(({ name }) => name);
}

test("a foreign key comes back with the first look after a copy that has ended between two of them", async () => {
  await using copy = await Database.open(job.config.get("db"));
  await takeCopyLock(copy, "q", "public.second_child");
  const move = (state: string) =>
    run(`update londiste.table_info set merge_state = '${state}' where table_name = 'public.second_child'`);
  await move("catching-up");
  await look();
  assert.deepEqual(await keys(), ["first_child_parent_fkey"]);
  await move("ok");
  await look();
  assert.deepEqual(await keys(), ["first_child_parent_fkey", "second_child_parent_fkey"]);
});

test("a foreign key that the rows violate stays away, and keeps no other one away", async () => {
  await run("insert into first_child values (1, 1)");
  await look();
  assert.deepEqual(await keys(), ["second_child_parent_fkey"]);
  assert.match(silentLog.lines.join("\n"), /fkey stays pending: .*first_child_parent_fkey/);
  const pending = await db.queryValue("select fkey_name from londiste.pending_fkeys");
  assert.equal(pending, "first_child_parent_fkey");
});
