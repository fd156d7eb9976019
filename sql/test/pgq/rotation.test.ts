import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { call, consume, createEagerQueue, currentTable, rotate, tick } from "./queue.ts";

const fixture = databaseFixture(["pgq"]);

async function rotatingQueue(): Promise<Awaited<ReturnType<typeof fixture.database>>> {
  const session = await fixture.database();
  await createEagerQueue(session.db, "q");
  await call(session.db, "pgq.set_queue_config", "q", "rotation_period", "0");
  return session;
}

async function tables(db: Database, batch: bigint): Promise<string[]> {
  return (await db.query<{ name: string }>("select name from pgq.batch_event_tables($1) name", [batch])).map(
    (row) => row.name.replace("pgq.event_1_", ""),
  );
}

async function step1(db: Database): Promise<void> {
  equal(await call(db, "pgq.maint_rotate_tables_step1", "q"), 0);
}

test("three rotations come round, and a batch looks into the tables that can hold its events", async () => {
  const { db } = await rotatingQueue();
  await call(db, "pgq.register_consumer", "q", "c");
  await tick(db, "q");
  await consume(db, "q", "c");
  const looked = [];
  for (let n = 0; n < 4; n++) {
    await call(db, "pgq.insert_event", "q", "t", `before ${n}`);
    await tick(db, "q");
    const whole = await call<bigint>(db, "pgq.next_batch", "q", "c");
    await step1(db);
    looked.push([await currentTable(db, "q"), await tables(db, whole)]);
    await call(db, "pgq.finish_batch", whole);
    await call(db, "pgq.insert_event", "q", "t", `during ${n}`);
    await tick(db, "q");
    const pending = await call<bigint>(db, "pgq.next_batch", "q", "c");
    looked.push(await tables(db, pending));
    await call(db, "pgq.maint_rotate_tables_step2");
    looked.push(await tables(db, pending));
    await call(db, "pgq.finish_batch", pending);
    await tick(db, "q");
    await consume(db, "q", "c");
    await tick(db, "q");
    const later = await call<bigint>(db, "pgq.next_batch", "q", "c");
    looked.push(await tables(db, later));
    await call(db, "pgq.finish_batch", later);
  }
  deepEqual(
    looked,
    [1, 2, 0, 1].flatMap((current) => {
      const before = String((current + 2) % 3);
      const both = [before, String(current)];
      return [[current, [before]], both, both, [String(current)]];
    }),
  );
});

test("rotation waits for the period, for its confirmation and for slow consumers", async () => {
  const { db } = await rotatingQueue();
  await call(db, "pgq.set_queue_config", "q", "rotation_period", "1 hour");
  await step1(db);
  equal(await currentTable(db, "q"), 0);
  await call(db, "pgq.set_queue_config", "q", "rotation_period", "0");
  await call(db, "pgq.register_consumer", "q", "slow");
  // The consumer stands at the creation of the queue: its transaction counts as the last switch.
  await step1(db);
  equal(await currentTable(db, "q"), 0);
  await tick(db, "q");
  await consume(db, "q", "slow");
  await step1(db);
  equal(await currentTable(db, "q"), 1);
  await tick(db, "q");
  await consume(db, "q", "slow");
  await step1(db);
  equal(await currentTable(db, "q"), 1, "not confirmed");
  await call(db, "pgq.maint_rotate_tables_step2");
  await step1(db);
  equal(await currentTable(db, "q"), 1, "a consumer needs it");
  await tick(db, "q");
  await consume(db, "q", "slow");
  await step1(db);
  equal(await currentTable(db, "q"), 2);
  equal(await call(db, "pgq.maint_rotate_tables_step1", "nosuch"), 0);
  equal(await call(db, "pgq.maint_rotate_tables_step1", null), 0);
  await db.execute("update pgq.queue set queue_rotation_period = '0', queue_switch_step2 = 1");
});

test("an open transaction that has written holds rotation up, a reader of the next table too", async () => {
  const { db, another } = await rotatingQueue();
  await call(db, "pgq.register_consumer", "q", "c");
  await rotate(db, "q");
  const other = await another({ autocommit: false });
  await other.query("select txid_current()");
  await tick(db, "q");
  await consume(db, "q", "c");
  await call(db, "pgq.insert_event", "q", "t", "x");
  await tick(db, "q");
  await consume(db, "q", "c");
  equal(await currentTable(db, "q"), 0);
  await other.commit();
  await other.query("select count(*) from pgq.event_1_1");
  await tick(db, "q");
  await consume(db, "q", "c");
  await step1(db);
  equal(await currentTable(db, "q"), 0, "the next table is being read");
  await other.commit();
  await step1(db);
  equal(await currentTable(db, "q"), 1);
});

test("rotation and inserts do not wait for each other", async () => {
  const { db, another } = await rotatingQueue();
  await db.execute("set lock_timeout = '2s'");
  const rotation = await another({ autocommit: false });
  await call(rotation, "pgq.maint_rotate_tables_step1", "q");
  await call(db, "pgq.insert_event", "q", "t", "while rotating");
  await rotation.commit();
  const writer = await another({ autocommit: false });
  await call(writer, "pgq.insert_event", "q", "t", "while inserting");
  await call(db, "pgq.maint_rotate_tables_step2");
  await step1(db);
  equal(await currentTable(db, "q"), 1);
  await writer.rollback();
  await step1(db);
  equal(await currentTable(db, "q"), 2);
});

test("old ticks go one rotation late, and the newest always stays", async () => {
  const { db, another } = await rotatingQueue();
  const count = (): Promise<unknown> => db.queryValue("select count(*) from pgq.tick");
  for (let n = 0; n < 5; n++) await tick(db, "q");
  await rotate(db, "q");
  equal(await count(), 6n);
  for (let n = 0; n < 5; n++) await tick(db, "q");
  await rotate(db, "q");
  equal(await count(), 5n);

  const open = await another({ autocommit: false });
  await open.query("select txid_current()");
  for (let n = 0; n < 3; n++) await tick(db, "q");
  await open.rollback();
  await rotate(db, "q");
  await rotate(db, "q");
  equal(await count(), 1n);
  equal(await call(db, "pgq.register_consumer", "q", "new"), 1);
});

test("a producer with an old snapshot is refused after a rotation, and loses nothing", async () => {
  const { db, another } = await rotatingQueue();
  await call(db, "pgq.register_consumer", "q", "c");
  const seen: string[] = [];
  for (const isolation of ["repeatable read", "serializable"] as const) {
    const producer = await another({ autocommit: false, isolation });
    const isRefused = (error: { sqlState?: string }): boolean => error.sqlState === "40001";
    for (const statement of [
      "select pgq.insert_event('q', 't', 'late')",
      "select pgq.insert_event_raw('q', null, null, null, null, 't', 'late', null, null, null, null)",
      "select pgq.insert_events('q', '{t}', '{late}')",
      "select pgq.current_event_table('q')",
    ]) {
      await tick(db, "q");
      seen.push(...(await consume(db, "q", "c"))!);
      await producer.query("select count(*) from pgq.queue");
      await rotate(db, "q");
      await rejects(producer.query(statement), isRefused, statement);
      await producer.rollback();
    }
    await call(producer, "pgq.insert_event", "q", "t", isolation);
    await producer.commit();
  }
  await tick(db, "q");
  seen.push(...(await consume(db, "q", "c"))!);
  deepEqual(seen, ["repeatable read", "serializable"]);
});

test("a producer that holds its place before the rotation is read from the old table", async () => {
  const { db, another } = await rotatingQueue();
  await call(db, "pgq.register_consumer", "q", "c");
  await tick(db, "q");
  await consume(db, "q", "c");
  const producer = await another({ autocommit: false, isolation: "repeatable read" });
  await call(producer, "pgq.insert_event", "q", "t", "first");
  await rotate(db, "q");
  await tick(db, "q");
  deepEqual(await consume(db, "q", "c"), []);
  await rejects(call(producer, "pgq.insert_event", "q", "t", "second"), /was rotated/);
  await producer.rollback();
  await call(producer, "pgq.insert_event", "q", "t", "again");
  await producer.commit();
  const direct = await another({ autocommit: false });
  const table = await call<string>(direct, "pgq.current_event_table", "q");
  await step1(db);
  await call(db, "pgq.maint_rotate_tables_step2");
  await direct.execute(`insert into ${table} (ev_time, ev_data) values (now(), 'direct')`);
  await direct.commit();
  await tick(db, "q");
  deepEqual(await consume(db, "q", "c"), ["again", "direct"]);
});

test("queues with another number of tables", async () => {
  const { db } = await fixture.database();
  await db.execute("alter table pgq.queue alter column queue_ntables set default 5");
  await createEagerQueue(db, "q");
  await call(db, "pgq.register_consumer", "q", "c");
  const used = [];
  for (let n = 0; n < 6; n++) {
    await call(db, "pgq.insert_event", "q", "t", `event ${n}`);
    await tick(db, "q");
    deepEqual(await consume(db, "q", "c"), [`event ${n}`]);
    await tick(db, "q");
    await consume(db, "q", "c");
    await rotate(db, "q");
    used.push(await currentTable(db, "q"));
  }
  deepEqual(used, [1, 2, 3, 4, 0, 1]);
  equal(await call(db, "pgq.drop_queue", "q", true), 1);
  equal(await db.queryValue("select count(*) from pg_class where relname like 'event\\_1%'"), 0n);
  await db.execute("alter table pgq.queue alter column queue_ntables set default 1");
  await rejects(call(db, "pgq.create_queue", "q"), /queue_ntables must be at least 2/);
});

test("a database restored into a younger cluster, or without its ticks, is not rotated", async () => {
  const { db } = await rotatingQueue();
  await db.execute("update pgq.queue set queue_switch_step1 = 5000000000");
  await rejects(
    call(db, "pgq.maint_rotate_tables_step1", "q"),
    /queue q maint failure: step1=5000000000, current=\d+/,
  );
  await db.execute("update pgq.queue set queue_switch_step1 = 5");
  await call(db, "pgq.register_consumer", "q", "c");
  await db.execute("delete from pgq.tick");
  await rejects(call(db, "pgq.maint_rotate_tables_step1", "q"), /queue q maint failure: tick 1 not found/);
});

test("a consumer that comes while an old transaction is open gets its events, though the queue had no consumer", async () => {
  const { db, another } = await rotatingQueue();
  await rotate(db, "q");
  const open = await another({ autocommit: false });
  await call(open, "pgq.insert_event", "q", "t", "written long ago");
  for (let n = 0; n < 4; n++) {
    await tick(db, "q");
    await rotate(db, "q");
  }
  await tick(db, "q");
  await call(db, "pgq.register_consumer", "q", "late");
  await open.commit();
  await tick(db, "q");
  deepEqual(await consume(db, "q", "late"), ["written long ago"]);
});
