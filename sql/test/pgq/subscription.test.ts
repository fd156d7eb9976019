import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { call, consume, createEagerQueue, tick } from "./queue.ts";

const fixture = databaseFixture(["pgq"]);

test("queues are created once", async () => {
  const { db } = await fixture.database();
  equal(await call(db, "pgq.create_queue", 'Quote " and 日本'), 1);
  equal(await call(db, "pgq.create_queue", 'Quote " and 日本'), 0);
  await rejects(call(db, "pgq.create_queue", null), /Invalid NULL value/);
  deepEqual(
    await db.query(`select c.relname as name, c.reloptions, pg_get_expr(d.adbin, d.adrelid) as id,
                           (select string_agg(pg_get_indexdef(indexrelid), ';') from pg_index where indrelid = c.oid) as indexes,
                           (select inhparent::regclass::text from pg_inherits where inhrelid = c.oid) as parent
                      from pg_class c left join pg_attrdef d on d.adrelid = c.oid and d.adnum = 1
                     where c.relname ~ '^event_1' and c.relkind = 'r' order by 1`),
    [
      { name: "event_1", reloptions: null, id: null, indexes: null, parent: "pgq.event_template" },
      ...[0, 1, 2].map((n) => ({
        name: `event_1_${n}`,
        reloptions: ["fillfactor=100", "autovacuum_enabled=off"],
        id: "nextval('pgq.event_1_id_seq'::regclass)",
        indexes: `CREATE INDEX event_1_${n}_txid_idx ON pgq.event_1_${n} USING btree (ev_txid)`,
        parent: "pgq.event_1",
      })),
    ],
  );
});

test("settings are checked by name and by the server", async () => {
  const { db } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  const set = (name: string | null, value: string | null, queue: string | null = "q"): Promise<unknown> =>
    call(db, "pgq.set_queue_config", queue, name, value);
  equal(await set("ticker_max_count", "7"), 1);
  equal(await set("ticker_paused", "yes"), 1);
  equal(await set("ticker_idle_period", "0.5 s"), 1);
  await rejects(set("foo", "1"), /cannot change parameter "foos"/);
  await rejects(set("disable_insert", "1"), /cannot change parameter "disable_inserts"/);
  await rejects(set(null, "1"), /Invalid NULL value/);
  await rejects(set("ticker_paused", "1", null), /Invalid NULL value/);
  await rejects(set("ticker_paused", "1", "nosuch"), /No such event queue/);
  await rejects(set("ticker_max_lag", "abc"), /invalid input syntax for type interval: "abc"/);
  await rejects(set("ticker_max_count", null));
  await set("ticker_max_lag", "1 h");
  await rejects(set("ticker_max_lag", "1 h', queue_name = 'stolen"), /invalid input syntax/);
  deepEqual(
    await db.query(
      "select queue_name, queue_ticker_max_count, queue_ticker_max_lag, queue_ticker_paused from pgq.queue",
    ),
    [
      {
        queue_name: "q",
        queue_ticker_max_count: 7,
        queue_ticker_max_lag: "01:00:00",
        queue_ticker_paused: true,
      },
    ],
  );
});

test("a consumer starts at the newest tick and can be moved", async () => {
  const { db } = await fixture.database();
  await createEagerQueue(db, "q");
  await tick(db, "q");
  equal(await call(db, "pgq.register_consumer", "q", "c"), 1);
  equal(await call(db, "pgq.register_consumer", "q", "c"), 0);
  await call(db, "pgq.insert_event", "q", "t", "x");
  await tick(db, "q");
  const position = (): Promise<object> =>
    db.queryOne("select last_tick, current_batch, next_tick from pgq.get_consumer_info('q', 'c')");
  deepEqual(await position(), { last_tick: 2n, current_batch: null, next_tick: null });
  deepEqual(await consume(db, "q", "c"), ["x"]);
  await tick(db, "q");
  await call(db, "pgq.next_batch", "q", "c");
  equal(await call(db, "pgq.register_consumer_at", "q", "c", null), 0);
  deepEqual(await position(), { last_tick: 3n, current_batch: 2n, next_tick: 4n });
  equal(await call(db, "pgq.register_consumer_at", "q", "c", 1n), 0);
  deepEqual(await position(), { last_tick: 1n, current_batch: null, next_tick: null });
  await rejects(call(db, "pgq.register_consumer_at", "q", "c", 99n), /cannot reposition, tick not found: 99/);
  await rejects(
    call(db, "pgq.register_consumer_at", "q", "new", 99n),
    /cannot reposition, tick not found: 99/,
  );
  equal(await call(db, "pgq.register_consumer_at", "q", "new", 2n), 1);
  await rejects(call(db, "pgq.register_consumer", "nosuch", "c"), /Event queue not created yet/);
  await rejects(call(db, "pgq.register_consumer", "q", null), /null value in column "co_name"/);
  await db.execute("delete from pgq.tick");
  await rejects(
    call(db, "pgq.register_consumer", "q", "third"),
    /No ticks for this queue\. {2}Please run ticker on database\./,
  );
});

test("unregistering frees the name, unless another queue needs it", async () => {
  const { db } = await fixture.database();
  await createEagerQueue(db, "q");
  await createEagerQueue(db, "r");
  await call(db, "pgq.register_consumer", "q", "c");
  await call(db, "pgq.register_consumer", "r", "c");
  equal(await call(db, "pgq.unregister_consumer", "q", "c"), 1);
  equal(await call(db, "pgq.unregister_consumer", "q", "c"), 0);
  equal(await db.queryValue("select count(*) from pgq.consumer"), 1n);
  equal(await call(db, "pgq.unregister_consumer", "r", "c"), 1);
  equal(await db.queryValue("select count(*) from pgq.consumer"), 0n);
});

test("one name registered by two transactions has one subscription", async () => {
  const { db, another } = await fixture.database();
  await createEagerQueue(db, "q");
  await createEagerQueue(db, "r");
  await call(db, "pgq.register_consumer", "r", "c");
  for (const isolation of ["read committed", "repeatable read"] as const) {
    const [one, two] = [
      await another({ autocommit: false, isolation }),
      await another({ autocommit: false, isolation }),
    ];
    await two.query("select 1 from pgq.subscription");
    equal(await call(one, "pgq.register_consumer", "q", "c"), 1);
    const waiting = call(two, "pgq.register_consumer", "q", "c").catch(
      (error: { sqlState?: string }) => error.sqlState,
    );
    await one.commit();
    equal(await waiting, isolation === "read committed" ? 0 : "40001");
    await two.rollback();
    equal(await db.queryValue("select count(*) from pgq.get_consumer_info('q')"), 1n);
    await call(db, "pgq.unregister_consumer", "q", "c");
  }
});

test("a queue gets another name, and its consumers go on", async () => {
  const { db } = await fixture.database();
  await createEagerQueue(db, "old");
  await createEagerQueue(db, "taken");
  await call(db, "pgq.register_consumer", "old", "c");
  await call(db, "pgq.insert_event", "old", "t", "before");
  equal(await call(db, "pgq.rename_queue", "old", "new"), 1);
  await call(db, "pgq.insert_event", "new", "t", "after");
  await tick(db, "new");
  deepEqual(await consume(db, "new", "c"), ["before", "after"]);
  await rejects(call(db, "pgq.insert_event", "old", "t", "x"), /No such queue/);
  await rejects(call(db, "pgq.rename_queue", "nosuch", "x"), /No such event queue/);
  await rejects(call(db, "pgq.rename_queue", "new", null), /Invalid NULL value/);
  await rejects(call(db, "pgq.rename_queue", "new", "taken"), /queue_name_uq/);
});
