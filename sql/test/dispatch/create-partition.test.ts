import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { moduleSql } from "@skytools/sql";
import { databaseFixture } from "../fixture.ts";

const fixture = databaseFixture(["dispatch"]);

test("a partition with indexes, checks and grants, but neither triggers nor rules", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create role dispatch_reader; create role dispatch_granter;
    create table events (id int4 not null primary key, ctime timestamptz not null, someval int4 check (someval > 0),
        twice int4 generated always as (someval * 2) stored);
    create index ctime_idx on events (ctime);
    create rule nothing as on insert to events do instead nothing;
    grant select on events to dispatch_reader, public; grant delete on events to dispatch_granter with grant option`);
  const create = (time: string): Promise<number | undefined> =>
    db.queryValue(
      `select public.create_partition('events', 'events_2011_01', 'id', 'ctime', ${time}, 'month')`,
    );
  equal(await create("'2011-01-01'"), 1);
  equal(await create("'2011-01-01'::timestamptz"), 0);
  equal(await create("'2011-01-01'::timestamp"), 0);
  deepEqual(
    await db.queryOne(
      `select (select count(*)::int4 from pg_index where indrelid = c.oid) as indexes,
              (select count(*)::int4 from pg_constraint where conrelid = c.oid and contype in ('p', 'c')) as constraints,
              (select count(*)::int4 from pg_rewrite where ev_class = c.oid) as rules,
              has_table_privilege('dispatch_reader', c.oid, 'select') as reads,
              has_table_privilege('dispatch_granter', c.oid, 'delete with grant option') as grants
         from pg_class c where c.oid = 'events_2011_01'::regclass`,
    ),
    { indexes: 2, constraints: 3, rules: 0, reads: true, grants: true },
  );
  await rejects(
    db.execute("insert into events_2011_01 values (1, '2011-02-01', 1)"),
    /events_2011_01_ctime_check/,
  );
  await rejects(
    db.query("select public.create_partition(null, 'x', null, null, null, null)"),
    /need table and part/,
  );
  await rejects(
    db.query("select public.create_partition('nowhere', 'x', null, null, null, null)"),
    /does not exist/,
  );
});

test("installing drops the former variant", async () => {
  const { db } = await fixture.database();
  await db.execute(`create function public.create_partition(text, text, text, text, timestamp, text) returns int4
    language sql as $$ select 1 $$`);
  await db.execute(await moduleSql("dispatch"));
  equal(await db.queryValue("select count(*)::int4 from pg_proc where proname = 'create_partition'"), 1);
});
