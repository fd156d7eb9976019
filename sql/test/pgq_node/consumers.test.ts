import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { answer, createSubscriber, registerLocations, row, rowsOf } from "./node.ts";

const fixture = databaseFixture(["pgq", "pgq_node"]);

async function branchWithConsumer(): Promise<Database> {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "branch", 1n);
  equal(
    await answer(db, "pgq_node.register_consumer", "q", "c", "provider", 1n),
    '200 "Consumer c registered on queue q"',
  );
  return db;
}

const state = (db: Database): Promise<Record<string, unknown>> =>
  row(db, "pgq_node.get_consumer_state", "q", "c");

const freshState = {
  ret_code: 100,
  ret_note: "Ok",
  node_type: "branch",
  node_name: "branch",
  completed_tick: 1n,
  provider_node: "provider",
  provider_location: "dbname=provider",
  paused: false,
  uptodate: false,
  cur_error: null,
};

test("an error stays until the next completed tick", async () => {
  const db = await branchWithConsumer();
  deepEqual(await state(db), freshState);
  equal(
    await answer(db, "pgq_node.set_consumer_error", "q", "c", "failure"),
    '100 "Consumer c error = failure"',
  );
  deepEqual(await state(db), { ...freshState, cur_error: "failure" });
  equal(
    await answer(db, "pgq_node.set_consumer_completed", "q", "c", 2n),
    '100 "Consumer c completed tick = 2"',
  );
  deepEqual(await state(db), { ...freshState, completed_tick: 2n });
  await answer(db, "pgq_node.set_consumer_error", "q", "c", "again");
  equal(await answer(db, "pgq_node.set_consumer_error", "q", "c", null), "100 null");
  deepEqual(await state(db), { ...freshState, completed_tick: 2n });
});

test("the time of a completed tick is known as long as the position is that tick", async () => {
  const db = await branchWithConsumer();
  const known = () => row(db, "pgq_node.get_completed_tick", "q", "c");
  const time = "2024-02-03 04:05:06.789012+00";
  const complete = (tick: bigint) => answer(db, "pgq_node.set_consumer_completed_at", "q", "c", tick, time);
  deepEqual(await known(), { tick_id: freshState.completed_tick, tick_time: null });
  await answer(db, "pgq_node.set_consumer_error", "q", "c", "failure");
  equal(await complete(5n), '100 "Consumer c completed tick = 5"');
  deepEqual(await state(db), { ...freshState, completed_tick: 5n });
  const isSame = "select tick_time = $1 from pgq_node.get_completed_tick('q', 'c')";
  equal(await db.queryValue(isSame, [time]), true);
  await answer(db, "pgq_node.register_consumer", "q", "c", "provider", 6n);
  deepEqual(await known(), { tick_id: 6n, tick_time: null });
  await complete(7n);
  await answer(db, "pgq_node.set_consumer_completed", "q", "c", 7n);
  deepEqual(await known(), { tick_id: 7n, tick_time: null });
  deepEqual(await rowsOf(db, "pgq_node.get_completed_tick", "q", "unknown"), []);
  equal(
    await answer(db, "pgq_node.set_consumer_completed_at", "q", "zc", 1n, time),
    '404 "Consumer not known: q/zc"',
  );
});

test("requests are acknowledged: pause, resume and provider changes clear uptodate, nothing else does", async () => {
  const db = await branchWithConsumer();
  await registerLocations(db, "q", "other");
  const acknowledge = async (): Promise<void> => {
    equal(await answer(db, "pgq_node.set_consumer_uptodate", "q", "c", true), '200 "Consumer uptodate = 1"');
  };
  const pause = (isPaused: boolean): Promise<string> =>
    answer(db, "pgq_node.set_consumer_paused", "q", "c", isPaused);

  await acknowledge();
  equal(await pause(false), '201 "Consumer c already resumed"');
  await answer(db, "pgq_node.set_consumer_completed", "q", "c", 3n);
  await answer(db, "pgq_node.set_consumer_error", "q", "c", "x");
  equal(
    await answer(db, "pgq_node.register_consumer", "q", "c", "provider", 4n),
    '201 "Consumer already registered: q/c"',
  );
  deepEqual(await state(db), { ...freshState, completed_tick: 4n, cur_error: "x", uptodate: true });

  equal(await pause(true), '200 "Consumer c tagged as paused"');
  deepEqual((await state(db)).uptodate, false);
  await acknowledge();
  equal(await pause(true), '201 "Consumer c already paused"');
  deepEqual((await state(db)).uptodate, true);
  equal(await pause(false), '200 "Consumer c tagged as resumed"');
  deepEqual((await state(db)).uptodate, false);

  await acknowledge();
  equal(
    await answer(db, "pgq_node.change_consumer_provider", "q", "c", "other"),
    '200 "Consumer provider node set to : other"',
  );
  deepEqual(await state(db), {
    ...freshState,
    completed_tick: 4n,
    cur_error: "x",
    provider_node: "other",
    provider_location: "dbname=other",
  });
  equal(await answer(db, "pgq_node.set_consumer_uptodate", "q", "c", false), '200 "Consumer uptodate = 0"');
  await rejects(
    db.query("select pgq_node.set_consumer_paused('q', 'c', null)"),
    /null value in column "paused"/,
  );
});

test("unknown queues, consumers and nodes are answered", async () => {
  const db = await branchWithConsumer();
  const expected: readonly (readonly [string, readonly unknown[], string])[] = [
    ["get_consumer_state", ["zq", "c"], '404 "Unknown queue: zq"'],
    ["get_consumer_state", ["q", "zc"], '404 "Unknown consumer: q/zc"'],
    ["set_consumer_error", ["q", "zc", "x"], '101 "Consumer not known, ignoring: q/zc"'],
    ["set_consumer_completed", ["q", "zc", 1n], '404 "Consumer not known: q/zc"'],
    ["set_consumer_uptodate", ["q", "zc", true], '404 "Consumer not known: q/zc"'],
    ["set_consumer_paused", ["q", "zc", true], '404 "Unknown consumer: zc"'],
    ["change_consumer_provider", ["q", "zc", "provider"], '404 "Unknown consumer: q/zc"'],
    ["change_consumer_provider", ["q", "zc", "zn"], '404 "New node not found: zn"'],
    ["register_consumer", ["zq", "c", "provider", 1n], '404 "Unknown queue: zq"'],
    ["unregister_consumer", ["zq", "c"], '404 "Unknown queue: zq"'],
    ["unregister_consumer", ["q", "zc"], '200 "Consumer zc unregistered from q"'],
    ["unregister_consumer", ["q", "c"], '200 "Consumer c unregistered from q"'],
  ];
  for (const [name, args, result] of expected) {
    equal(await answer(db, `pgq_node.${name}`, ...args), result, name);
  }
  deepEqual(await state(db), {
    ...freshState,
    ret_code: 404,
    ret_note: "Unknown consumer: q/c",
    completed_tick: null,
    provider_node: null,
    provider_location: null,
    paused: null,
    uptodate: null,
  });
  await rejects(
    db.query("select pgq_node.register_consumer('q', 'c', 'nowhere', 1)"),
    /local_state_queue_name_provider_node_fkey/,
  );
});
