import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { CascadedBatch } from "@skytools/pgq/cascade";
import { Database } from "@skytools/skytools";
import { TcpProxy } from "@skytools/testbed";
import { eventsAhead } from "#src/copy/events-ahead.js";
import { TableTakeOver } from "#src/copy/table-take-over.js";
import { isCopySettled } from "#src/replay/copy-snapshot.js";
import { silentLog } from "../fixture/apply-bench.js";
import { CopyMeeting, eventOf, place, table } from "../fixture/copy-meeting.js";

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

test("a copy that has missed the worker applies a batch that the worker has passed, before it looks for it again", async () => {
  const copy = await stage.tick();
  const passed = await stage.tick();
  await stage.put("wanna-sync:1", { worker: passed, copy });
  await stage.moveWorker(passed + 1);
  const batch = {
    ...stage.roundAt(copy),
    source: stage.source,
    batch: { tickId: BigInt(passed) },
  } as CascadedBatch;
  const looking = stage.catchUp().beforeBatch(batch);
  await stage.waitForCopy();
  await stage.tick();
  await stage.worker.commit();
  assert.equal(await looking, "apply");
  assert.equal(await stage.storedState(), "wanna-sync:1");
});

test("a copy does not look through a long backlog, but as far as the worker when that is near", async () => {
  const from = await stage.tick();
  const near = await stage.tick();
  const far = await stage.tick(200_000);
  const ahead = (workerPosition: number) => {
    const distance = {
      queueName: "q",
      table,
      position: BigInt(from),
      workerPosition: BigInt(workerPosition),
    };
    return stage.source.autocommitted(() => eventsAhead(stage.source, distance, 1));
  };
  assert.deepEqual(await ahead(near), { tickId: BigInt(near), count: 0 });
  assert.equal(await ahead(far), undefined);
});

test("whether a copy still needs its snapshot is looked up in the events that follow, but not in a long backlog", async () => {
  const insertOthers = (count: number) =>
    stage.run(`${eventOf("public.other")} from generate_series(1, ${count})`);
  const isSettled = async (tickId: number) => {
    const snapshot = await stage.operator.queryValue<string>("select txid_current_snapshot()::text");
    await stage.operator.commit();
    const { source } = stage;
    return source.autocommitted(() => isCopySettled(source, "q", table, BigInt(tickId), snapshot ?? ""));
  };
  const first = await stage.tick();
  await insertOthers(10_001);
  assert.equal(await isSettled(first), false);
  const second = await stage.tick();
  await insertOthers(100);
  assert.equal(await isSettled(second), true);
  await stage.run(eventOf(table, "id=3"));
  assert.equal(await isSettled(second), false);
});

test("a source that is silent while a table is taken over does not keep the worker's position", {
  timeout: 180_000,
}, async () => {
  await using proxy = await TcpProxy.start(stage.cluster);
  const database = await stage.operator.queryValue<string>("select current_database()");
  const remote = await Database.open(proxy.connstr(database));
  const copy = await stage.tick();
  await stage.run(eventOf(table, "id=1"));
  const at = await stage.tick();
  await stage.put("wanna-sync:1", { worker: at, copy });
  await stage.moveWorker(at);
  const looking = stage.catchUp().idle(stage.roundAt(copy), remote);
  const failed = assert.rejects(looking, /no answer within 1000 ms, while replay waits/);
  await stage.waitForCopy();
  proxy.pause();
  await stage.worker.commit();
  await failed;
  await stage.moveWorker(at + 1);
  await stage.worker.commit();
  assert.equal(remote.isBroken, true);
  assert.equal(await stage.storedState(), "wanna-sync:1");
});

test("a copy that cannot read what lies between goes on by batches", async () => {
  const copy = await stage.tick();
  await stage.run(eventOf(table, "id=2"));
  const missing = await stage.tick();
  await stage.tick();
  await stage.run(`delete from pgq.tick where tick_id = ${missing}`);
  await stage.put("wanna-sync:1", { worker: missing, copy });
  const takeOver = new TableTakeOver(silentLog, place(), async () => assert.fail("nothing to apply"));
  const look = () => takeOver.look(stage.source, BigInt(copy), BigInt(missing));
  const ahead = await look();
  assert.equal(ahead?.count, 1);
  const meeting = {
    position: BigInt(copy),
    workerPosition: BigInt(missing),
    reachableUntil: ahead.tickId,
  };
  assert.equal(await takeOver.attempt(stage.roundAt(copy), stage.source, meeting, ahead), false);
  assert.equal(await look(), undefined);
});

test("a table is taken over only from a source that has the worker's tick, and not another one of its number", async () => {
  const copy = await stage.tick();
  const complete = (tickTime: string) =>
    stage.run(`select pgq_node.set_consumer_completed_at('q', 'worker', ${copy}, ${tickTime})`);
  await stage.put("wanna-sync:1", { worker: copy, copy });
  await complete("now() - interval '1 hour'");
  await assert.rejects(stage.catchUp().idle(stage.roundAt(copy, true), stage.source), /Lost position/);
  assert.equal(await stage.storedState(), "wanna-sync:1");
  assert.equal(stage.db.inTransaction, false);

  await stage.put("wanna-sync:1", { worker: copy + 1, copy: copy + 1 });
  await stage.catchUp().idle(stage.roundAt(copy + 1, true), stage.source);
  assert.equal(await stage.storedState(), "wanna-sync:1");

  await stage.put("wanna-sync:1", { worker: copy, copy });
  await complete(`(select tick_time from pgq.tick where tick_id = ${copy})`);
  await stage.catchUp().idle(stage.roundAt(copy, true), stage.source);
  assert.equal(await stage.storedState(), "ok");
});
