import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { batchData, call, consume, createEagerQueue, tick } from "./queue.ts";

const fixture = databaseFixture(["pgq"]);

async function queueWithConsumer(): Promise<Database> {
  const { db } = await fixture.database();
  equal(await call(db, "pgq.create_queue", "tmpqueue"), 1);
  equal(await call(db, "pgq.drop_queue", "tmpqueue"), 1);
  await createEagerQueue(db, "myqueue");
  equal(await call(db, "pgq.register_consumer", "myqueue", "consumer"), 1);
  return db;
}

const customBatch = "select * from pgq.next_batch_custom('myqueue', 'consumer', $1, $2, $3)";

test("a virgin database has nothing to maintain", async () => {
  const { db } = await fixture.database();
  deepEqual(await db.query("select * from pgq.maint_tables_to_vacuum()"), []);
  deepEqual(await db.query("select * from pgq.maint_operations()"), []);
  equal(await call(db, "pgq.maint_retry_events"), 0);
  equal(await call(db, "pgq.ticker"), 0n);
});

test("an open batch is returned until it is finished", async () => {
  const db = await queueWithConsumer();
  equal(await call(db, "pgq.next_batch", "myqueue", "consumer"), null);
  equal(await call(db, "pgq.ticker"), 1n);
  equal(await call(db, "pgq.next_batch", "myqueue", "consumer"), 1n);
  equal(await call(db, "pgq.next_batch", "myqueue", "consumer"), 1n);

  const info = await db.queryOne("select * from pgq.get_batch_info(1)");
  deepEqual(
    { ...info, batch_start: "", batch_end: "", lag: "" },
    {
      queue_name: "myqueue",
      consumer_name: "consumer",
      batch_start: "",
      batch_end: "",
      prev_tick_id: 1n,
      tick_id: 2n,
      lag: "",
      seq_start: 1n,
      seq_end: 1n,
    },
  );
  const consumer = await db.queryOne("select * from pgq.get_consumer_info()");
  deepEqual(
    { ...consumer, lag: "", last_seen: "" },
    {
      queue_name: "myqueue",
      consumer_name: "consumer",
      lag: "",
      last_seen: "",
      last_tick: 1n,
      current_batch: 1n,
      next_tick: 2n,
      pending_events: 0n,
    },
  );
  equal(await call(db, "pgq.finish_batch", 1n), 1);
  deepEqual(await db.query("select * from pgq.get_batch_info(1)"), [
    Object.fromEntries(Object.keys(info).map((name) => [name, null])),
  ]);
});

test("finishing a batch twice gives a warning and 0", async () => {
  const { db, connstr } = await fixture.database();
  await createEagerQueue(db, "q");
  await call(db, "pgq.register_consumer", "q", "c");
  await tick(db, "q");
  await call(db, "pgq.next_batch", "q", "c");
  equal(await call(db, "pgq.finish_batch", 1n), 1);
  const notices: string[] = [];
  const onNotice = ({ message }: { message: string }): void => {
    notices.push(message);
  };
  await using other = await Database.open(connstr, { autocommit: true, onNotice });
  equal(await call(other, "pgq.finish_batch", 1n), 0);
  equal(await call(other, "pgq.finish_batch", null), 0);
  deepEqual(notices, ["finish_batch: batch 1 not found", "finish_batch: batch <NULL> not found"]);
});

test("queue information has the documented columns", async () => {
  const db = await queueWithConsumer();
  await tick(db, "myqueue");
  const info = await db.queryOne("select * from pgq.get_queue_info('myqueue')");
  match(String(info.queue_switch_time), /^\d{4}-/);
  deepEqual(
    { ...info, queue_switch_time: "", ticker_lag: "" },
    {
      queue_name: "myqueue",
      queue_ntables: 3,
      queue_cur_table: 0,
      queue_rotation_period: "02:00:00",
      queue_switch_time: "",
      queue_external_ticker: false,
      queue_ticker_paused: false,
      queue_ticker_max_count: 500,
      queue_ticker_max_lag: "00:00:00",
      queue_ticker_idle_period: "00:00:00",
      ticker_lag: "",
      ev_per_sec: 0,
      ev_new: 0n,
      last_tick_id: 2n,
    },
  );
  deepEqual(await db.query("select * from pgq.get_queue_info('nosuch')"), []);
});

test("events get ids in order and come back with all their fields", async () => {
  const db = await queueWithConsumer();
  await tick(db, "myqueue");
  deepEqual(await consume(db, "myqueue", "consumer"), []);
  equal(await call(db, "pgq.insert_event", "myqueue", "r1", "data"), 1n);
  equal(
    await call(db, "pgq.insert_event", "myqueue", "r2", "data", "extra1", "extra2", "extra3", "extra4"),
    2n,
  );
  equal(await call(db, "pgq.insert_event", "myqueue", "r3", null), 3n);
  equal(await call(db, "pgq.current_event_table", "myqueue"), "pgq.event_2_0");
  equal(await tick(db, "myqueue"), 3n);

  const nothing = {
    batch_id: null,
    cur_tick_id: null,
    prev_tick_id: null,
    cur_tick_time: null,
    prev_tick_time: null,
    cur_tick_event_seq: null,
    prev_tick_event_seq: null,
  };
  deepEqual(await db.query(customBatch, ["1 hour", null, null]), [nothing]);
  deepEqual(await db.query(customBatch, [null, 10_000, null]), [nothing]);
  deepEqual(await db.query(customBatch, [null, null, "10 minutes"]), [nothing]);

  equal(await call(db, "pgq.next_batch", "myqueue", "consumer"), 2n);
  deepEqual(await db.query("select * from pgq.batch_event_tables(2)"), [
    { batch_event_tables: "pgq.event_2_0" },
  ]);
  const rows = await db.query(
    "select ev_id, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from pgq.get_batch_events(2)",
  );
  const plain = { ev_retry: null, ev_extra1: null, ev_extra2: null, ev_extra3: null, ev_extra4: null };
  deepEqual(rows, [
    { ...plain, ev_id: 1n, ev_type: "r1", ev_data: "data" },
    {
      ev_id: 2n,
      ev_retry: null,
      ev_type: "r2",
      ev_data: "data",
      ev_extra1: "extra1",
      ev_extra2: "extra2",
      ev_extra3: "extra3",
      ev_extra4: "extra4",
    },
    { ...plain, ev_id: 3n, ev_type: "r3", ev_data: null },
  ]);
});

test("a cursor gives the first rows at once and the rest on request", async () => {
  const { db, another } = await fixture.database();
  await createEagerQueue(db, "q");
  await call(db, "pgq.register_consumer", "q", "c");
  for (const data of ["a", "b", "c"]) await call(db, "pgq.insert_event", "q", "t", data);
  await tick(db, "q");
  const batch = await call<bigint>(db, "pgq.next_batch", "q", "c");
  const other = await another({ autocommit: false });
  const open = async (
    limit: number | null,
    where: string | null,
    name: string | null = "Walker 1",
  ): Promise<unknown> =>
    (
      await other.query<{ ev_data: string }>("select ev_data from pgq.get_batch_cursor($1, $2, $3, $4)", [
        batch,
        name,
        limit,
        where,
      ])
    ).map((row) => row.ev_data);
  deepEqual(await open(10, null), ["a", "b", "c"]);
  await other.execute('close "Walker 1"');
  deepEqual(await open(2, null), ["a", "b"]);
  deepEqual((await other.query('fetch 10 from "Walker 1"')).length, 1);
  await other.execute('close "Walker 1"');
  deepEqual(await open(2, "ev_data <> 'a'"), ["b", "c"]);
  await other.execute('close "Walker 1"');
  deepEqual(await open(0, null), []);
  equal((await other.query('fetch all from "Walker 1"')).length, 3);
  await other.execute('close "Walker 1"');
  deepEqual(await open(null, null), []);
  deepEqual(await open(1, null, null), []);
  deepEqual(await other.query("select * from pg_cursors where name = 'Walker 1'"), []);
  deepEqual((await other.query("select * from pgq.get_batch_cursor($1, 'x', 2)", [batch])).length, 2);
  await other.rollback();
  await rejects(open(2, ""), /syntax error/);
});

test("sequences are read and moved forward only", async () => {
  const { db } = await fixture.database();
  await db.execute("create sequence seq_test");
  equal(await call(db, "pgq.seq_getval", "seq_test"), 1n);
  equal(await call(db, "pgq.seq_setval", "seq_test", 10n), 10n);
  equal(await call(db, "pgq.seq_setval", "seq_test", 5n), 10n);
  equal(await call(db, "pgq.seq_setval", "seq_test", 15n), 15n);
  equal(await call(db, "pgq.seq_getval", "public.seq_test"), 15n);
  equal(await db.queryValue("select nextval('seq_test')"), 16n);
});

test("names are quoted after the first dot", async () => {
  const { db } = await fixture.database();
  const names = ["a.b.c", "Foo", ".x", null];
  const quoted = await Promise.all(names.map((name) => call(db, "pgq.quote_fqname", name)));
  deepEqual(quoted, ['a."b.c"', 'public."Foo"', '"".x', null]);
});

test("forcing a tick moves the event numbers on, and makes none itself", async () => {
  const db = await queueWithConsumer();
  for (let n = 0; n < 4; n++) await db.query("select nextval('pgq.event_2_id_seq')");
  equal(await call(db, "pgq.force_tick", "myqueue"), 1n);
  equal(await db.queryValue("select nextval('pgq.event_2_id_seq')"), 2006n);
  equal(await call(db, "pgq.force_tick", "nosuch"), null);
  await db.execute("update pgq.queue set queue_ticker_paused = true");
  equal(await call(db, "pgq.force_tick", "myqueue"), 1n);
  equal(await db.queryValue("select nextval('pgq.event_2_id_seq')"), 2007n);
});

test("maintenance lists rotation, then the queue's own functions, then vacuum", async () => {
  const db = await queueWithConsumer();
  await db.execute("update pgq.queue set queue_rotation_period = '0'");
  const rotation = [
    { func_name: "pgq.maint_rotate_tables_step1", func_arg: "myqueue" },
    { func_name: "pgq.maint_rotate_tables_step2", func_arg: null },
  ];
  deepEqual(await db.query("select * from pgq.maint_operations()"), rotation);
  await db.execute("update pgq.queue set queue_extra_maint = '{baz,foo.bar}'");
  deepEqual(await db.query("select * from pgq.maint_operations()"), [
    ...rotation,
    { func_name: "baz", func_arg: "myqueue" },
    { func_name: "foo.bar", func_arg: "myqueue" },
  ]);
  await db.execute("update pgq.queue set queue_extra_maint = '{}'");
  deepEqual(await db.query("select * from pgq.maint_operations()"), rotation);
});

test("dropping by force takes consumers and parked events along", async () => {
  const db = await queueWithConsumer();
  await call(db, "pgq.insert_event", "myqueue", "t", "parked");
  await tick(db, "myqueue");
  const batch = await call<bigint>(db, "pgq.next_batch", "myqueue", "consumer");
  deepEqual(await batchData(db, batch), ["parked"]);
  await db.query("select pgq.event_retry($1, 1, 1000)", [batch]);
  await rejects(call(db, "pgq.drop_queue", "myqueue"), /cannot drop queue, consumers still attached/);
  await rejects(call(db, "pgq.drop_queue", "myqueue", null), /cannot drop queue, consumers still attached/);
  equal(await call(db, "pgq.drop_queue", null), null);
  equal(await call(db, "pgq.drop_queue", "myqueue", true), 1);
  await rejects(call(db, "pgq.drop_queue", "myqueue", true), /No such event queue/);
  equal(await db.queryValue("select count(*) from pg_class where relname like 'event\\_2%'"), 0n);
  equal(await db.queryValue("select count(*) from pgq.consumer"), 0n);
});
