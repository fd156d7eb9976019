import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { CascadeRound } from "@skytools/pgq/cascade";
import { Database, type Job } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster, waitFor } from "@skytools/testbed";
import { eventsAhead } from "#src/copy/events-ahead.js";
import { TableCatchUp } from "#src/copy/table-catch-up.js";
import { TakeOverQueue } from "#src/copy/take-over-queue.js";
import type { HandlerRegistry } from "#src/handler/handler-registry.js";
import { getTable, getTableList } from "#src/londiste-api.js";
import { HandOver } from "#src/replay/hand-over.js";
import { silentLog } from "../fixture/apply-bench.js";

const table = "public.t";
const copyName = `worker.copy.${table}`;

let cluster: Cluster;
let db: Database;
let other: Database;
let source: Database;
let lastTick = 100;

before(async () => {
  cluster = await startCluster();
  const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"]);
  db = await Database.open(connstr);
  other = await Database.open(connstr);
  source = await Database.open(connstr);
  await run("select pgq_node.register_location('q', 'root', 'dbname=x', false)");
  await run("select pgq_node.create_node('q', 'root', 'root', 'worker', null, null, null)");
  await run("update pgq.queue set queue_external_ticker = true");
  await run("create table t (id int primary key)");
  await run("select londiste.local_add_table('q', 't')");
  await run(`select pgq_node.register_consumer('q', '${copyName}', 'root', 1)`);
});

beforeEach(async () => {
  await db.rollback();
  await other.rollback();
  await run(`select pgq_node.register_consumer('q', '${copyName}', 'root', 1)`);
});

after(async () => {
  await db.close();
  await other.close();
  await source.close();
  await cluster[Symbol.asyncDispose]();
});

async function run(sql: string): Promise<void> {
  await db.query(sql);
  await db.commit();
}

async function put(state: string, ticks: { worker: number; copy: number }): Promise<void> {
  await run(`update londiste.table_info set merge_state = '${state}'`);
  await run(`update pgq_node.local_state set last_tick_id =
    case consumer_name when 'worker' then ${ticks.worker} else ${ticks.copy} end`);
}

async function tick(): Promise<number> {
  lastTick += 1;
  await run(`select pgq.ticker('q', ${lastTick}, now(), ${lastTick})`);
  return lastTick;
}

const eventOf = (name: string, row = "id=1") =>
  `select pgq.insert_event('q', 'I:id', '${row}', '${name}', null, null, null)`;

async function storedState(): Promise<string | null | undefined> {
  const found = await getTable(db, "q", table);
  await db.commit();
  return found?.storedState;
}

async function isCopyWaiting(): Promise<boolean> {
  const waiting = await cluster.query("select from pg_locks where not granted and pid = $1", [db.backendPid]);
  return waiting.length > 0;
}

/** What a copy process does that finds nothing more in the queue. */
async function copyLooks(position: bigint, provider?: Database): Promise<TableCatchUp> {
  const job = { log: silentLog } as unknown as Job;
  const catchUp = new TableCatchUp(job, {
    queueName: "q",
    workerName: "worker",
    consumerName: copyName,
    table,
    registry: { ofTable: () => undefined } as unknown as HandlerRegistry,
    takeOvers: new TakeOverQueue(),
    connectTarget: async () => {},
  });
  await catchUp.idle({ target: db, state: { completedTick: position } } as CascadeRound, provider);
  return catchUp;
}

test("a copy that stands where the worker stands takes its table over in one look, and no worker waits for that", async () => {
  await put("catching-up", { worker: 7, copy: 7 });
  assert.equal((await copyLooks(7n)).outcome, "handed over");
  assert.equal(await storedState(), "ok");
});

test("a copy whose table was removed meanwhile ends, and says so", async () => {
  await put("catching-up", { worker: 7, copy: 7 });
  await run("update londiste.table_info set local = false");
  assert.equal((await copyLooks(7n)).outcome, "removed");
  assert.ok(silentLog.lines.includes(`Table ${table} removed from replication`));
  await run("update londiste.table_info set local = true");
});

test("a copy that is ahead of the worker offers its table, and leaves it", async () => {
  await put("catching-up", { worker: 5, copy: 7 });
  assert.equal((await copyLooks(7n)).outcome, undefined);
  assert.equal(await storedState(), "wanna-sync:8");
});

test("a copy that meets the worker in the middle of a batch finds it gone", async () => {
  await put("wanna-sync:8", { worker: 7, copy: 7 });
  // As the worker does while it applies a batch.
  await other.query("update pgq_node.local_state set last_tick_id = 8 where consumer_name = 'worker'");
  const looking = copyLooks(7n);
  await waitFor("the copy to wait for the worker's position", isCopyWaiting);
  await other.commit();
  assert.equal((await looking).outcome, undefined);
  assert.equal(await storedState(), "wanna-sync:8");
});

test("a copy need not follow the worker to take over a table of which nothing lies between", async () => {
  const copy = await tick();
  await run(eventOf("public.another"));
  const worker = await tick();
  await tick();
  await put("catching-up", { worker, copy });
  assert.equal((await copyLooks(BigInt(copy), source)).outcome, "handed over");
  assert.equal(await storedState(), "ok");
});

test("a copy that is few events behind applies them as it takes its table over", async () => {
  const copy = await tick();
  await run(eventOf(table, "id=1"));
  await other.query(eventOf(table, "id=2"));
  await tick();
  await other.commit();
  const worker = await tick();
  await run(eventOf(table, "id=3"));
  await tick();
  await put("catching-up", { worker, copy });
  assert.equal((await copyLooks(BigInt(copy), source)).outcome, "handed over");
  assert.equal(await storedState(), "ok");
  // The third is the worker's.
  assert.deepEqual(await db.query("select id from t order by id"), [{ id: 1 }, { id: 2 }]);
});

test("events that cannot be applied as a table is taken over leave all as it was, to be met in their batches", async () => {
  const copy = await tick();
  await run(eventOf(table, "id=4"));
  await run(eventOf(table, "id=x"));
  const worker = await tick();
  await put("catching-up", { worker, copy });
  const catchUp = await copyLooks(BigInt(copy), source);
  assert.equal(catchUp.outcome, undefined);
  assert.equal(await storedState(), `wanna-sync:${copy + 1}`);
  assert.deepEqual(await db.query("select id from t where id = 4"), []);
  // The log does not say either that the worker has the table.
  assert.match(silentLog.lines.at(-1)!, /status changed to 'wanna-sync/);
});

test("a copy sees what lies ahead of it, also in transactions that were open at its tick, and how much", async () => {
  const ahead = async (from: number, most: number) => {
    const distance = { queueName: "q", table, position: BigInt(from), workerPosition: BigInt(from + 1) };
    const found = await eventsAhead(source, distance, most);
    await source.commit();
    return found;
  };
  await other.query(eventOf(table));
  const open = await tick();
  const stillOpen = await tick();
  await other.commit();
  assert.deepEqual(await ahead(open, 0), { tickId: BigInt(stillOpen), count: 0 });
  await run(eventOf(table));
  await run(eventOf("public.another"));
  const closed = await tick();
  assert.deepEqual(await ahead(open, 2), { tickId: BigInt(closed), count: 2 });
  assert.equal(await ahead(open, 1), undefined);
  assert.equal(await ahead(closed + 1, 1), undefined);
});

test("a worker that has gone farther than the copy has looked keeps its position, and the copy its table", async () => {
  const copy = await tick();
  const worker = await tick();
  await put("wanna-sync:1", { worker, copy });
  await other.query(
    `update pgq_node.local_state set last_tick_id = ${worker + 1} where consumer_name = 'worker'`,
  );
  const looking = copyLooks(BigInt(copy), source);
  await waitFor("the copy to wait for the worker's position", isCopyWaiting);
  await other.query(eventOf(table));
  await other.commit();
  assert.equal((await looking).outcome, undefined);
  assert.equal(await storedState(), "wanna-sync:1");
});

test("the worker tells a copy that it is where the copy is, and goes on; only after some misses does it stop", async () => {
  await put("wanna-sync:8", { worker: 7, copy: 7 });
  const nudged: string[] = [];
  const sleeps: (string | null | undefined)[] = [];
  const job = {
    log: silentLog,
    isStopping: false,
    // the copy takes over while the worker waits
    sleep: async () => {
      sleeps.push((await getTable(other, "q", table))?.storedState);
      await other.query("update londiste.table_info set merge_state = 'ok'");
      await other.commit();
    },
  } as unknown as Job;
  const handOver = new HandOver(job, (name) => nudged.push(name));
  const looks = async (): Promise<boolean> => {
    const tables = await getTableList(db, "q");
    await db.commit();
    const at = {
      target: db,
      queueName: "q",
      workerName: "worker",
      completedTick: 7n,
      nextTick: 8n,
      batchMs: 0,
    };
    return handOver.run(at, tables, new Set([table]));
  };
  for (let nudges = 1; nudges <= 12; nudges += 1) {
    assert.equal(await looks(), false);
    assert.equal(nudged.length, nudges);
    assert.equal(await storedState(), "wanna-sync:8");
  }
  assert.deepEqual(sleeps, []);
  assert.equal(await looks(), true);
  assert.deepEqual(sleeps, ["do-sync:8"]);
  assert.equal(await storedState(), "ok");

  assert.equal(handOver.isNear, false);
});

test("a worker whose grant was not taken goes on by single ticks until it is, unless the copy is ahead", async () => {
  await put("do-sync:8", { worker: 7, copy: 6 });
  const job = {
    log: silentLog,
    isStopping: false,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 10)),
  } as unknown as Job;
  const handOver = new HandOver(job, () => {});
  const looks = async (): Promise<boolean> => {
    const tables = await getTableList(db, "q");
    await db.commit();
    const at = {
      target: db,
      queueName: "q",
      workerName: "worker",
      completedTick: 7n,
      nextTick: 8n,
      batchMs: 0,
    };
    await handOver.run(at, tables, new Set([table]));
    return handOver.isNear;
  };
  assert.equal(await looks(), false);
  assert.equal(await storedState(), "catching-up");
  await put("wanna-sync:7", { worker: 7, copy: 6 });
  assert.equal(await looks(), true);
  await put("wanna-sync:10", { worker: 7, copy: 9 });
  assert.equal(await looks(), false);
  await put("ok", { worker: 7, copy: 6 });
  assert.equal(await looks(), false);
});
