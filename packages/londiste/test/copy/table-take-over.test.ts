import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { CascadedBatch, CascadeRound } from "@skytools/pgq/cascade";
import { Database, type Job } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster, TcpProxy, waitFor } from "@skytools/testbed";
import { eventsAhead } from "#src/copy/events-ahead.js";
import { TableCatchUp } from "#src/copy/table-catch-up.js";
import { TableTakeOver } from "#src/copy/table-take-over.js";
import { TakeOverQueue } from "#src/copy/take-over-queue.js";
import type { HandlerRegistry } from "#src/handler/handler-registry.js";
import { isCopySettled } from "#src/replay/copy-snapshot.js";
import { silentLog } from "../fixture/apply-bench.js";

const table = "public.t";
const copyName = `worker.copy.${table}`;

let cluster: Cluster;
/** of the copy */
let db: Database;
let operator: Database;
let worker: Database;
let source: Database;
let lastTick = 100;
let lastSeq = 100;

before(async () => {
  cluster = await startCluster();
  const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"]);
  db = await Database.open(connstr);
  operator = await Database.open(connstr);
  worker = await Database.open(connstr);
  source = await Database.open(connstr);
  await run("select pgq_node.register_location('q', 'root', 'dbname=x', false)");
  await run("select pgq_node.create_node('q', 'root', 'root', 'worker', null, null, null)");
  await run("update pgq.queue set queue_external_ticker = true");
  await run("create table t (id int primary key)");
  await run("select londiste.local_add_table('q', 't')");
});

beforeEach(async () => {
  await db.rollback();
  await worker.rollback();
  await run(`select pgq_node.register_consumer('q', '${copyName}', 'root', 1)`);
});

after(async () => {
  for (const each of [db, operator, worker, source]) await each.close();
  await cluster[Symbol.asyncDispose]();
});

async function run(sql: string): Promise<void> {
  await operator.query(sql);
  await operator.commit();
}

async function put(state: string, ticks: { worker: number; copy: number }): Promise<void> {
  await run(`update londiste.table_info set merge_state = '${state}'`);
  await run(`update pgq_node.local_state set last_tick_id =
    case consumer_name when 'worker' then ${ticks.worker} else ${ticks.copy} end`);
}

/** @param events ids that it stands for */
async function tick(events = 1): Promise<number> {
  lastTick += 1;
  lastSeq += events;
  await run(`select pgq.ticker('q', ${lastTick}, now(), ${lastSeq})`);
  return lastTick;
}

async function insertRow(id: number): Promise<void> {
  await run(`select pgq.insert_event('q', 'I:id', 'id=${id}', '${table}', null, null, null)`);
}

const moveWorker = (tickId: number) =>
  worker.query("update pgq_node.local_state set last_tick_id = $1 where consumer_name = 'worker'", [tickId]);

async function storedState(): Promise<string | null | undefined> {
  const sql = "select merge_state from londiste.table_info";
  return worker.autocommitted(() => worker.queryValue<string | null>(sql));
}

async function waitForCopy(): Promise<void> {
  await waitFor("the copy to wait for the worker's position", async () => {
    const sql = "select from pg_locks where not granted and pid = $1";
    return (await cluster.query(sql, [db.backendPid])).length > 0;
  });
}

const place = () => ({
  queueName: "q",
  workerName: "worker",
  consumerName: copyName,
  table,
  takeOvers: new TakeOverQueue(),
});

function newCatchUp(): TableCatchUp {
  const job = { log: silentLog, isStopping: false, sleep: async () => {} } as unknown as Job;
  return new TableCatchUp(job, {
    ...place(),
    registry: { ofTable: () => undefined } as unknown as HandlerRegistry,
    connectTarget: async () => {},
  });
}

const roundAt = (position: number, storesTickTimes = false) =>
  ({ target: db, state: { completedTick: BigInt(position) }, storesTickTimes }) as CascadeRound;

test("a copy that has missed the worker applies a batch that the worker has passed, before it looks for it again", async () => {
  const copy = await tick();
  const passed = await tick();
  await put("wanna-sync:1", { worker: passed, copy });
  await moveWorker(passed + 1);
  const batch = { ...roundAt(copy), source, batch: { tickId: BigInt(passed) } } as CascadedBatch;
  const looking = newCatchUp().beforeBatch(batch);
  await waitForCopy();
  await tick();
  await worker.commit();
  assert.equal(await looking, "apply");
  assert.equal(await storedState(), "wanna-sync:1");
});

test("a copy does not look through a long backlog, but as far as the worker when that is near", async () => {
  const from = await tick();
  const near = await tick();
  const far = await tick(200_000);
  const ahead = (workerPosition: number) => {
    const distance = {
      queueName: "q",
      table,
      position: BigInt(from),
      workerPosition: BigInt(workerPosition),
    };
    return source.autocommitted(() => eventsAhead(source, distance, 1));
  };
  assert.deepEqual(await ahead(near), { tickId: BigInt(near), count: 0 });
  assert.equal(await ahead(far), undefined);
});

test("whether a copy still needs its snapshot is looked up in the events that follow, but not in a long backlog", async () => {
  const insertOthers = (count: number) =>
    run(
      `select pgq.insert_event('q', 'I:id', 'id=1', 'public.other', null, null, null) from generate_series(1, ${count})`,
    );
  const isSettled = async (tickId: number) => {
    const snapshot = await operator.queryValue<string>("select txid_current_snapshot()::text");
    await operator.commit();
    return source.autocommitted(() => isCopySettled(source, "q", table, BigInt(tickId), snapshot ?? ""));
  };
  const first = await tick();
  await insertOthers(10_001);
  assert.equal(await isSettled(first), false);
  const second = await tick();
  await insertOthers(100);
  assert.equal(await isSettled(second), true);
  await insertRow(3);
  assert.equal(await isSettled(second), false);
});

test("a source that is silent while a table is taken over does not keep the worker's position", {
  timeout: 30_000,
}, async () => {
  await using proxy = await TcpProxy.start(cluster);
  const database = await operator.queryValue<string>("select current_database()");
  const remote = await Database.open(proxy.connstr(database));
  const copy = await tick();
  await insertRow(1);
  const at = await tick();
  await put("wanna-sync:1", { worker: at, copy });
  await moveWorker(at);
  const looking = newCatchUp().idle(roundAt(copy), remote);
  const failed = assert.rejects(looking, /no answer within 1000 ms, while replay waits/);
  await waitForCopy();
  proxy.pause();
  await worker.commit();
  await failed;
  await moveWorker(at + 1);
  await worker.commit();
  assert.equal(remote.isBroken, true);
  assert.equal(await storedState(), "wanna-sync:1");
});

test("a copy that cannot read what lies between goes on by batches", async () => {
  const copy = await tick();
  await insertRow(2);
  const missing = await tick();
  await tick();
  await run(`delete from pgq.tick where tick_id = ${missing}`);
  await put("wanna-sync:1", { worker: missing, copy });
  const takeOver = new TableTakeOver(silentLog, place(), async () => assert.fail("nothing to apply"));
  const look = () => takeOver.look(source, BigInt(copy), BigInt(missing));
  const ahead = await look();
  assert.equal(ahead?.count, 1);
  const meeting = {
    position: BigInt(copy),
    workerPosition: BigInt(missing),
    reachableUntil: ahead.tickId,
  };
  assert.equal(await takeOver.attempt(roundAt(copy), source, meeting, ahead), false);
  assert.equal(await look(), undefined);
});

test("a table is taken over only from a source that has the worker's tick, and not another one of its number", async () => {
  const copy = await tick();
  const complete = (tickTime: string) =>
    run(`select pgq_node.set_consumer_completed_at('q', 'worker', ${copy}, ${tickTime})`);
  await put("wanna-sync:1", { worker: copy, copy });
  await complete("now() - interval '1 hour'");
  await assert.rejects(newCatchUp().idle(roundAt(copy, true), source), /Lost position/);
  assert.equal(await storedState(), "wanna-sync:1");
  assert.equal(db.inTransaction, false);

  await put("wanna-sync:1", { worker: copy + 1, copy: copy + 1 });
  await newCatchUp().idle(roundAt(copy + 1, true), source);
  assert.equal(await storedState(), "wanna-sync:1");

  await put("wanna-sync:1", { worker: copy, copy });
  await complete(`(select tick_time from pgq.tick where tick_id = ${copy})`);
  await newCatchUp().idle(roundAt(copy, true), source);
  assert.equal(await storedState(), "ok");
});
