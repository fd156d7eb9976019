import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { Database, Job } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { eventsAhead } from "#src/copy/events-ahead.js";
import type { TableCatchUp } from "#src/copy/table-catch-up.js";
import { getTableList } from "#src/londiste-api.js";
import { HandOver } from "#src/replay/hand-over.js";
import { silentLog } from "../fixture/apply-bench.js";
import { CopyMeeting, eventOf, table } from "../fixture/copy-meeting.js";

let stage: CopyMeeting;

before(async () => {
  stage = await CopyMeeting.start();
});

beforeEach(async () => {
  await stage.reset();
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

/** What a copy process does that finds nothing more in the queue. */
async function copyLooks(position: bigint, provider?: Database): Promise<TableCatchUp> {
  const catchUp = stage.catchUp();
  await catchUp.idle(stage.roundAt(position), provider);
  return catchUp;
}

/** What lies between is applied, if the machine does not stand still just then. */
async function copyTakesOver(position: number): Promise<void> {
  await waitFor("the table to be taken over", async () => {
    const { outcome } = await copyLooks(BigInt(position), await stage.usableSource());
    return outcome === "handed over";
  });
  assert.equal(await stage.storedState(), "ok");
}

test("a copy that stands where the worker stands takes its table over in one look, and no worker waits for that", async () => {
  await stage.put("catching-up", { worker: 7, copy: 7 });
  assert.equal((await copyLooks(7n)).outcome, "handed over");
  assert.equal(await stage.storedState(), "ok");
});

test("a copy whose table was removed meanwhile ends, and says so", async () => {
  await stage.put("catching-up", { worker: 7, copy: 7 });
  await stage.run("update londiste.table_info set local = false");
  assert.equal((await copyLooks(7n)).outcome, "removed");
  assert.ok(silentLog.lines.includes(`Table ${table} removed from replication`));
  await stage.run("update londiste.table_info set local = true");
});

test("a copy that is ahead of the worker offers its table, and leaves it", async () => {
  await stage.put("catching-up", { worker: 5, copy: 7 });
  assert.equal((await copyLooks(7n)).outcome, undefined);
  assert.equal(await stage.storedState(), "wanna-sync:8");
});

test("a copy that meets the worker in the middle of a batch finds it gone", async () => {
  await stage.put("wanna-sync:8", { worker: 7, copy: 7 });
  await stage.moveWorker(8);
  const looking = copyLooks(7n);
  await stage.waitForCopy();
  await stage.worker.commit();
  assert.equal((await looking).outcome, undefined);
  assert.equal(await stage.storedState(), "wanna-sync:8");
});

test("a copy need not follow the worker to take over a table of which nothing lies between", async () => {
  const copy = await stage.tick();
  await stage.run(eventOf("public.another"));
  const worker = await stage.tick();
  await stage.tick();
  await stage.put("catching-up", { worker, copy });
  await copyTakesOver(copy);
});

test("a copy that is few events behind applies them as it takes its table over", async () => {
  const copy = await stage.tick();
  await stage.run(eventOf(table, "id=1"));
  await stage.worker.query(eventOf(table, "id=2"));
  await stage.tick();
  await stage.worker.commit();
  const worker = await stage.tick();
  await stage.run(eventOf(table, "id=3"));
  await stage.tick();
  await stage.put("catching-up", { worker, copy });
  await copyTakesOver(copy);
  // The third is the worker's.
  assert.deepEqual(await stage.db.query("select id from t order by id"), [{ id: 1 }, { id: 2 }]);
});

test("events that cannot be applied as a table is taken over leave all as it was, to be met in their batches", async () => {
  const copy = await stage.tick();
  await stage.run(eventOf(table, "id=4"));
  await stage.run(eventOf(table, "id=x"));
  const worker = await stage.tick();
  await stage.put("catching-up", { worker, copy });
  const catchUp = await copyLooks(BigInt(copy), stage.source);
  assert.equal(catchUp.outcome, undefined);
  assert.equal(await stage.storedState(), `wanna-sync:${copy + 1}`);
  assert.deepEqual(await stage.db.query("select id from t where id = 4"), []);
  // The log does not say either that the worker has the table.
  assert.match(silentLog.lines.at(-1)!, /status changed to 'wanna-sync/);
});

test("a copy sees what lies ahead of it, also in transactions that were open at its tick, and how much", async () => {
  const ahead = async (from: number, most: number) => {
    const distance = { queueName: "q", table, position: BigInt(from), workerPosition: BigInt(from + 1) };
    const found = await eventsAhead(stage.source, distance, most);
    await stage.source.commit();
    return found;
  };
  await stage.worker.query(eventOf(table));
  const open = await stage.tick();
  const stillOpen = await stage.tick();
  await stage.worker.commit();
  assert.deepEqual(await ahead(open, 0), { tickId: BigInt(stillOpen), count: 0 });
  await stage.run(eventOf(table));
  await stage.run(eventOf("public.another"));
  const closed = await stage.tick();
  assert.deepEqual(await ahead(open, 2), { tickId: BigInt(closed), count: 2 });
  assert.equal(await ahead(open, 1), undefined);
  assert.equal(await ahead(closed + 1, 1), undefined);
});

test("a worker that has gone farther than the copy has looked keeps its position, and the copy its table", async () => {
  const copy = await stage.tick();
  const worker = await stage.tick();
  await stage.put("wanna-sync:1", { worker, copy });
  await stage.moveWorker(worker + 1);
  const looking = copyLooks(BigInt(copy), stage.source);
  await stage.waitForCopy();
  await stage.worker.query(eventOf(table));
  await stage.worker.commit();
  assert.equal((await looking).outcome, undefined);
  assert.equal(await stage.storedState(), "wanna-sync:1");
});

/** What the worker does between two batches. */
async function workerLooks(handOver: HandOver, inCopy: readonly string[] = [table]): Promise<boolean> {
  const tables = await getTableList(stage.worker, "q");
  await stage.worker.commit();
  const at = {
    target: stage.worker,
    queueName: "q",
    workerName: "worker",
    completedTick: 7n,
    nextTick: 8n,
    batchMs: 0,
  };
  return handOver.run(at, tables, new Set(inCopy));
}

test("the worker tells a copy that it is where the copy is, and goes on; only after some misses does it stop", async () => {
  await stage.put("wanna-sync:8", { worker: 7, copy: 7 });
  const nudged: string[] = [];
  const sleeps: (string | null | undefined)[] = [];
  const job = {
    log: silentLog,
    isStopping: false,
    // the copy takes over while the worker waits
    sleep: async () => {
      sleeps.push(await stage.storedState());
      await stage.run("update londiste.table_info set merge_state = 'ok'");
    },
  } as unknown as Job;
  const handOver = new HandOver(job, (name) => nudged.push(name));
  for (let nudges = 1; nudges <= 12; nudges += 1) {
    assert.equal(await workerLooks(handOver), false);
    assert.equal(nudged.length, nudges);
    assert.equal(await stage.storedState(), "wanna-sync:8");
  }
  assert.deepEqual(sleeps, []);
  assert.equal(await workerLooks(handOver), true);
  assert.deepEqual(sleeps, ["do-sync:8"]);
  assert.equal(await stage.storedState(), "ok");

  assert.equal(handOver.isNear, false);
});

test("grants are committed one by one: who has one table and wants another gets it, while the worker waits for the first", async () => {
  const another = "public.u";
  await stage.run("create table u (id int primary key); select londiste.local_add_table('q', 'u')");
  await stage.run(`select pgq_node.register_consumer('q', 'worker.copy.${another}', 'root', 1)`);
  await stage.put("wanna-sync:8", { worker: 7, copy: 7 });
  const job = { log: silentLog, isStopping: false, sleep: async () => {} } as unknown as Job;
  const handOver = new HandOver(job, () => {});
  const look = () => workerLooks(handOver, [table, another]);
  for (let misses = 1; misses <= 12; misses += 1) assert.equal(await look(), false);
  const row = (name: string) =>
    stage.operator.query(`select from londiste.table_info where table_name = '${name}' for update`);
  await row(another);
  const looking = look();
  await waitFor("the worker to wait for a row", async () => {
    const sql = "select from pg_locks where not granted and pid = $1";
    return (await stage.cluster.query(sql, [stage.worker.backendPid])).length > 0;
  });
  await row(table);
  await stage.operator.commit();
  assert.equal(await looking, true);
  await stage.run(`select pgq_node.unregister_consumer('q', 'worker.copy.${another}')`);
  await stage.run("select londiste.local_remove_table('q', 'u')");
});

test("a worker whose grant was not taken goes on by single ticks until it is, unless the copy is ahead", async () => {
  await stage.put("do-sync:8", { worker: 7, copy: 6 });
  const job = { log: silentLog, isStopping: false, sleep: async () => {} } as unknown as Job;
  const handOver = new HandOver(job, () => {});
  const isNear = async () => {
    await workerLooks(handOver);
    return handOver.isNear;
  };
  assert.equal(await isNear(), false);
  assert.equal(await stage.storedState(), "catching-up");
  await stage.put("wanna-sync:7", { worker: 7, copy: 6 });
  assert.equal(await isNear(), true);
  await stage.put("wanna-sync:10", { worker: 7, copy: 9 });
  assert.equal(await isNear(), false);
  await stage.put("ok", { worker: 7, copy: 6 });
  assert.equal(await isNear(), false);
});
