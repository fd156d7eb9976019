import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { moduleSql } from "@skytools/sql";
import { databaseFixture } from "../fixture.ts";
import { batchData, call, consume, createEagerQueue, rotate, tick } from "./queue.ts";

const fixture = databaseFixture(["pgq"]);

/** Turns tables and functions back into what release 2.1 had. */
async function degrade(db: Database): Promise<void> {
  await db.execute(`
    do $$ declare f text; begin
      for f in select oid::regprocedure::text from pg_proc where pronamespace = 'pgq'::regnamespace and proname <> 'quote_fqname'
      loop execute 'drop function ' || f || ' cascade'; end loop; end $$;
    drop table pgq.hidden_event;
    alter table pgq.queue drop column queue_disable_insert, drop column queue_ticker_paused, drop column queue_per_tx_limit,
      drop column queue_extra_maint, drop column queue_retry_limit, drop column queue_retry_delay;
    alter table pgq.tick drop column tick_event_seq;
    alter table pgq.subscription drop constraint subscription_pkey, drop constraint subscription_batch_idx,
      add constraint subscription_pkey primary key (sub_id), alter column sub_last_tick set not null,
      add constraint subscription_ukey unique (sub_queue, sub_consumer);
    alter table pgq.retry_queue drop column ev_queue,
      add constraint rq_owner_fkey foreign key (ev_owner) references pgq.subscription (sub_id);
    create index rq_retry_owner_idx on pgq.retry_queue (ev_owner, ev_id);
    alter table pgq.failed_queue drop column ev_queue,
      add constraint fq_owner_fkey foreign key (ev_owner) references pgq.subscription (sub_id);
    create type pgq.ret_batch_event as (ev_id bigint, ev_data text);
    create type pgq.ret_queue_info as (queue_name text);
    create function pgq.get_batch_events(x_batch_id bigint) returns setof pgq.ret_batch_event language sql as 'select null::bigint, null::text';
    create function pgq.get_queue_info(x_queue_name text) returns pgq.ret_queue_info language sql as 'select null::text';
    create function pgq.ticker(q text, t bigint) returns bigint language sql as 'select 1::bigint';
    create function pgq.ticker() returns bigint language sql as 'select 1::bigint';
    create function pgq.failed_event_list(q text, c text) returns setof pgq.failed_queue language sql as 'select * from pgq.failed_queue';
    create function pgq.register_consumer(q text, c text, t bigint) returns integer language sql as 'select 1'`);
}

test("a database of release 2.1 keeps queues, positions, parked and failed events", async () => {
  const { db } = await fixture.database();
  await createEagerQueue(db, "q");
  await call(db, "pgq.register_consumer", "q", "c");
  for (const data of ["a", "b", "c"]) await call(db, "pgq.insert_event", "q", "t", data);
  await tick(db, "q");
  const batch = await call<bigint>(db, "pgq.next_batch", "q", "c");
  await db.query("select pgq.event_retry($1, 1, 0)", [batch]);
  await call(db, "pgq.event_failed", batch, 2n, "broken");
  await degrade(db);

  await db.execute(await moduleSql("pgq"));
  await db.execute(await moduleSql("pgq"));
  deepEqual(await batchData(db, batch), ["a", "b", "c"]);
  equal(await call(db, "pgq.finish_batch", batch), 1);
  equal(await call(db, "pgq.maint_retry_events"), 1);
  await tick(db, "q");
  deepEqual(await consume(db, "q", "c"), ["a"]);
  equal(await call(db, "pgq.failed_event_count", "q", "c"), 1);
  equal((await db.query("select * from pgq.get_queue_info('q')")).length, 1);
  await call(db, "pgq.insert_event", "q", "t", "d");
  await tick(db, "q");
  deepEqual(await consume(db, "q", "c"), ["d"]);
  await rotate(db, "q");
  equal(await db.queryValue("select queue_cur_table from pgq.queue"), 1);
  const leftovers = await db.query(
    `select oid::regprocedure::text from pg_proc where pronamespace = 'pgq'::regnamespace
        and oid::regprocedure::text in ('pgq.ticker(text,bigint)', 'pgq.register_consumer(text,text,bigint)')`,
  );
  deepEqual(leftovers, []);
  equal(await call(db, "pgq.drop_queue", "q", true), 1);
});

test("get_queue_info of release 3.2 is replaced, with its narrower result", async () => {
  const { db } = await fixture.database();
  await db.execute(`drop function pgq.get_queue_info(); drop function pgq.get_queue_info(text);
    create function pgq.get_queue_info(i_queue_name text, out queue_name text, out queue_ntables integer)
      returns setof record language sql as $$ select 'x'::text, 1 $$`);
  await db.execute(await moduleSql("pgq"));
  deepEqual(await db.query("select * from pgq.get_queue_info('x')"), []);
});
