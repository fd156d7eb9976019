import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { call } from "../pgq/queue.ts";

const fixture = databaseFixture(["pgq", "pgq_ext"]);

/** Both forms of a function's arguments: without and with a subconsumer. */
const consumers = [["c"], ["c", "sub"]] as const;

for (const consumer of consumers) {
  const title = consumer.length === 1 ? "a consumer" : "a subconsumer";

  test(`${title} records its last batch only`, async () => {
    const { db } = await fixture.database();
    const is = (batch: bigint | null): Promise<unknown> =>
      call(db, "pgq_ext.is_batch_done", ...consumer, batch);
    const set = (batch: bigint | null): Promise<unknown> =>
      call(db, "pgq_ext.set_batch_done", ...consumer, batch);
    deepEqual(
      [
        await is(1n),
        await set(1n),
        await is(1n),
        await set(1n),
        await is(2n),
        await set(2n),
        await is(1n),
        await is(2n),
      ],
      [false, true, true, false, false, true, false, true],
    );
    deepEqual(
      [await is(null), await set(null), await set(0n), await set(-1n), await is(2n)],
      [null, true, true, true, true],
    );
    equal(await call(db, "pgq_ext.is_batch_done", "other", 2n), false);
  });

  test(`${title} records the events of one batch`, async () => {
    const { db } = await fixture.database();
    const is = (batch: bigint, event: bigint): Promise<unknown> =>
      call(db, "pgq_ext.is_event_done", ...consumer, batch, event);
    const set = (batch: bigint, event: bigint): Promise<unknown> =>
      call(db, "pgq_ext.set_event_done", ...consumer, batch, event);
    deepEqual(
      [await is(3n, 101n), await set(3n, 101n), await is(3n, 101n), await set(3n, 101n), await set(3n, 102n)],
      [false, true, true, false, true],
    );
    equal(await call(db, "pgq_ext.set_batch_done", ...consumer, 3n), true);
    equal(await is(3n, 102n), true);
    equal(await set(4n, 101n), true);
    deepEqual(await db.query("select batch_id, event_id from pgq_ext.completed_event"), [
      { batch_id: 4n, event_id: 101n },
    ]);
  });

  test(`${title} records its last tick`, async () => {
    const { db } = await fixture.database();
    const get = (): Promise<unknown> => call(db, "pgq_ext.get_last_tick", ...consumer);
    const set = (tick: bigint | null): Promise<unknown> =>
      call(db, "pgq_ext.set_last_tick", ...consumer, tick);
    deepEqual(
      [await get(), await set(1n), await get(), await set(2n), await get(), await set(null), await get()],
      [null, 1, 1n, 1, 2n, 1, null],
    );
  });
}

test("tags of a batch are kept until the next that has some, the last of an event counts", async () => {
  const { db } = await fixture.database();
  const tag = (batch: bigint, ids: bigint[], seconds: (number | null)[], reasons: (string | null)[]) =>
    call(db, "pgq_ext.tag_events", "c", batch, ids, seconds, reasons);
  const tags = async (batch: bigint, after = 0n, limit = 10) =>
    (await db.query("select * from pgq_ext.get_event_tags('c', $1, $2, $3)", [batch, after, limit])).map(
      (row) => Object.values(row),
    );
  equal(await tag(7n, [3n, 1n, 3n], [5, 9, null], [null, null, "bad"]), 2n);
  deepEqual(await tags(7n), [
    [1n, 9, null],
    [3n, null, "bad"],
  ]);
  equal(await tag(7n, [3n, 4n], [8, 0], [null, null]), 3n);
  deepEqual(await tags(7n, 1n, 1), [[3n, 8, null]]);
  await call(db, "pgq_ext.tag_events", "other", 7n, [1n], [1], [null]);
  equal(await tag(8n, [5n], [null], ["worse"]), 1n);
  deepEqual([await tags(7n), await tags(8n)], [[], [[5n, null, "worse"]]]);
  equal(await db.queryValue("select count(*) from pgq_ext.event_tag"), 2n);
});

test("tables of release 3.0 learn of subconsumers", async () => {
  const { db } = await fixture.database();
  await call(db, "pgq_ext.set_batch_done", "c", 7n);
  await db.execute(
    ["completed_tick", "completed_batch", "completed_event", "partial_batch"]
      .map((table) => `alter table pgq_ext.${table} drop column subconsumer_id cascade;`)
      .join("\n"),
  );
  await db.execute(`
    alter table pgq_ext.completed_tick add constraint completed_tick_pkey primary key (consumer_id);
    alter table pgq_ext.completed_batch add constraint completed_batch_pkey primary key (consumer_id);
    alter table pgq_ext.completed_event add constraint completed_event_pkey primary key (consumer_id, batch_id, event_id);
    alter table pgq_ext.partial_batch add constraint partial_batch_pkey primary key (consumer_id);`);
  equal(await call(db, "pgq_ext.upgrade_schema"), 8);
  equal(await call(db, "pgq_ext.upgrade_schema"), 0);
  equal(await call(db, "pgq_ext.is_batch_done", "c", 7n), true);
  equal(await call(db, "pgq_ext.set_batch_done", "c", "sub", 7n), true);
  equal(await call(db, "pgq_ext.set_event_done", "c", "sub", 7n, 1n), true);
  equal(await call(db, "pgq_ext.set_event_done", "c", 7n, 1n), true);
  equal(await call(db, "pgq_ext.set_last_tick", "c", "sub", 7n), 1);
});
