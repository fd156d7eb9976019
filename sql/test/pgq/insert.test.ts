import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { call, consume, createEagerQueue, rotate, tick } from "./queue.ts";

const fixture = databaseFixture(["pgq"]);

test("only the queue's name is required", async () => {
  const { db } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  equal(await call(db, "pgq.insert_event", "q", null, null), 1n);
  equal(await call(db, "pgq.insert_event", "q", null, null, null, null, null, null), 2n);
  await rejects(call(db, "pgq.insert_event", null, "t", "d"), /Queue name must not be NULL/);
  await rejects(call(db, "pgq.insert_event", "nosuch", "t", "d"), /No such queue/);
  await rejects(call(db, "pgq.current_event_table", "nosuch"), /Event queue not found/);
});

test("the raw form keeps id, time, owner and count, and advances the sequence", async () => {
  const { db } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  const raw = "select pgq.insert_event_raw($1, $2, $3, $4, $5, 't', 'd', null, null, null, null)";
  equal(await db.queryValue(raw, ["q", 77, "2001-02-03 04:05:06.789012+00", 5, 6]), 77n);
  equal(await db.queryValue(raw, ["q", null, null, null, null]), 2n);
  const rows = await db.query(
    "select ev_id, ev_time = now() as is_now, ev_time::text, ev_owner, ev_retry from pgq.event_1 order by ev_id",
  );
  equal(rows.length, 2);
  deepEqual(rows[1], {
    ev_id: 77n,
    is_now: false,
    ev_time: "2001-02-03 04:05:06.789012+00",
    ev_owner: 5,
    ev_retry: 6,
  });
  await rejects(db.query(raw, [null, 1, null, null, null]), /Queue name must not be NULL/);
  await rejects(db.query(raw, ["nosuch", 1, null, null, null]), /No such queue/);
});

test("a disabled queue refuses events, and the failed call uses up an id", async () => {
  const { db } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  equal(await call(db, "pgq.insert_event", "q", "t", "1"), 1n);
  await db.execute("update pgq.queue set queue_disable_insert = true");
  await rejects(call(db, "pgq.insert_event", "q", "t", "2"), /Insert into queue disallowed/);
  await rejects(call(db, "pgq.current_event_table", "q"), /Writing to queue disabled/);
  await rejects(call(db, "pgq.insert_events", "q", ["t"], ["d"]), /Insert into queue disallowed/);
  await db.execute("update pgq.queue set queue_disable_insert = false");
  equal(await call(db, "pgq.insert_event", "q", "t", "3"), 3n);
});

test("a disabled queue takes events in replication role replica only", async () => {
  const { db } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  await db.execute("update pgq.queue set queue_disable_insert = true");
  await rejects(call(db, "pgq.insert_event", "q", "t", "1"), /Insert into queue disallowed/);
  await db.execute("set session_replication_role = replica");
  equal(await call(db, "pgq.insert_event", "q", "t", "2"), 2n);
  equal(await call(db, "pgq.current_event_table", "q"), "pgq.event_1_0");
  await db.execute("set session_replication_role = local");
  await rejects(call(db, "pgq.insert_event", "q", "t", "3"), /Insert into queue disallowed/);
  await rejects(call(db, "pgq.current_event_table", "q"), /Writing to queue disabled/);
});

test("a transaction may insert as many events as its queue's limit says", async () => {
  const { db, another } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  await call(db, "pgq.create_queue", "other");
  await db.execute("update pgq.queue set queue_per_tx_limit = 2");
  const writer = await another({ autocommit: false });
  const insert = (queue = "q"): Promise<unknown> => call(writer, "pgq.insert_event", queue, "t", "d");
  equal(await insert(), 1n);
  equal(await insert(), 2n);
  equal(await insert("other"), 1n);
  await rejects(insert(), /Queue 'q' allows max 2 events from one TX/);
  await writer.rollback();

  await db.execute("update pgq.queue set queue_per_tx_limit = 0");
  await rejects(insert(), /Queue 'q' allows max 0 events from one TX/);
  await writer.rollback();

  for (const unlimited of ["null", "-1"]) {
    await db.execute(`update pgq.queue set queue_per_tx_limit = ${unlimited}`);
    for (let n = 0; n < 3; n++) await insert();
    await writer.commit();
  }
  equal(await db.queryValue("select max(ev_id) from pgq.event_1"), 10n);
});

test("the limit holds for each transaction, for bulk inserts and after savepoints", async () => {
  const { db, another } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  await db.execute("update pgq.queue set queue_per_tx_limit = 3");
  await rejects(call(db, "pgq.insert_events", "q", Array(4).fill("t"), Array(4).fill("d")), /max 3 events/);
  const writer = await another({ autocommit: false });
  for (let n = 0; n < 3; n++) {
    await db.query("select pgq.insert_events('q', '{t,t,t}', '{d,d,d}')");
    await call(writer, "pgq.insert_event", "q", "t", "d");
    await writer.execute("savepoint s");
    await call(writer, "pgq.insert_event", "q", "t", "rolled back");
    await writer.execute("rollback to savepoint s");
    await writer.query("select pgq.insert_events('q', '{t,t}', '{d,d}')");
    await writer.commit();
  }
  // A value set by the session does not count for a transaction.
  await writer.execute("set pgq.tx_count_1 = '1:99'");
  await call(writer, "pgq.insert_event", "q", "t", "d");
  await writer.commit();
});

test("many events go in with one call, in the order of the arrays", async () => {
  const { db } = await fixture.database();
  await createEagerQueue(db, "q");
  await call(db, "pgq.register_consumer", "q", "c");
  const data = Array.from({ length: 1000 }, (_, n) => `event ${n}`);
  const types = data.map(() => "t");
  const ids = await db.query<{ id: bigint }>("select id from pgq.insert_events('q', $1, $2, $1) id", [
    types,
    data,
  ]);
  deepEqual(
    ids.map((row) => row.id),
    data.map((_, n) => BigInt(n + 1)),
  );
  equal((await db.query("select from pgq.insert_events('q', '{}', '{}')")).length, 0);
  await tick(db, "q");
  deepEqual(await consume(db, "q", "c"), data);
  equal(
    await db.queryValue("select count(*) from pgq.event_1 where ev_extra1 = 't' and ev_extra2 is null"),
    1000n,
  );

  for (const [bad, text] of [
    ["'q', '{a,b}', '{a}'", /same length/],
    ["'q', '{a}', '{a}', '{a,b}'", /same length/],
    ["'q', null, '{a}'", /same length/],
    ["'nosuch', '{a}', '{a}'", /No such queue/],
    ["null, '{a}', '{a}'", /Queue name must not be NULL/],
  ] as const) {
    await rejects(db.query(`select pgq.insert_events(${bad})`), text);
  }
});

test("an event finds the table of its queue among many queues", async () => {
  const { db } = await fixture.database();
  await db.execute("do $$ begin for n in 1 .. 21 loop perform pgq.create_queue('q' || n); end loop; end $$");
  await db.execute("do $$ begin perform pgq.drop_queue('q' || n) from unnest('{1,7,8,21}'::int[]) n; end $$");
  await db.execute(
    "do $$ begin perform pgq.insert_event(queue_name, 't', queue_name) from pgq.queue; end $$",
  );
  const wrong = await db.query(`
    select ev_data, e.tableoid::regclass::text from pgq.event_template e join pgq.queue on queue_name = ev_data
     where e.tableoid <> (queue_data_pfx || '_0')::regclass`);
  deepEqual(wrong, []);
  equal(await db.queryValue("select count(*) from pgq.event_template"), 17n);
  const writer = await db.queryValue<string>(
    "select prosrc from pg_proc where proname = 'insert_event' and pronargs = 7",
  );
  ok(!writer!.includes("pgq.event_7_"));
  match(writer!, /insert into pgq\.event_9_2 /);
});

test("a queue that the static inserts do not know takes events all the same", async () => {
  const { db, another } = await fixture.database();
  const busy = await another({ autocommit: false });
  // Whoever changes them holds this lock. The queue is created without waiting, and without a line there.
  await busy.query("select pg_advisory_xact_lock(1885828977, 0)");
  await createEagerQueue(db, "q");
  await busy.rollback();
  const writerKnows = (): Promise<unknown> =>
    db.queryValue(
      "select prosrc like '%pgq.event\\_1\\_0%' from pg_proc where proname = 'insert_event' and pronargs = 7",
    );
  equal(await writerKnows(), false);
  await call(db, "pgq.register_consumer", "q", "c");
  equal(await call(db, "pgq.insert_event", "q", "t", "dynamic"), 1n);
  await rotate(db, "q");
  equal(await writerKnows(), true);
  equal(await call(db, "pgq.insert_event", "q", "t", "static"), 2n);
  await tick(db, "q");
  deepEqual(await consume(db, "q", "c"), ["dynamic", "static"]);
});

test("objects in the caller's search path cannot take over pgq.insert_event", async () => {
  const { db, another } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  await db.execute("update pgq.queue set queue_per_tx_limit = 5");
  await db.execute(`
    create role mallory login in role pgq_writer;
    create schema evil authorization mallory;`);
  for (const type of ["text", "integer", "bigint"]) {
    await db.execute(`create function evil.steal(${type}, ${type}) returns boolean language plpgsql as $f$
      begin raise exception 'taken over as %', current_user; end $f$`);
    for (const operator of ["=", "<>", ">=", "<=", ">", "+", "%"]) {
      await db.execute(
        `create operator evil.${operator} (function = evil.steal, leftarg = ${type}, rightarg = ${type})`,
      );
    }
  }
  await db.execute(
    "create function evil.now() returns timestamptz language sql as 'select null::timestamptz'",
  );
  const mallory = await another({ user: "mallory" });
  await mallory.execute("set search_path = evil, pg_catalog");
  await rejects(mallory.query("select 1 = 2"), /taken over as mallory/);
  for (const isolation of ["read committed", "serializable"]) {
    await mallory.execute(`set default_transaction_isolation = '${isolation}'`);
    ok(await call<bigint>(mallory, "pgq.insert_event", "q", "t", "d"));
  }
  await mallory.query("select pgq.insert_events('q', '{t}', '{d}')");
  equal(await db.queryValue("select count(*) from pgq.event_1 where ev_time is not null"), 3n);
});
