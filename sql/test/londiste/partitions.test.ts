import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber, queueEvents } from "../pgq_node/node.ts";
import { triggersOf } from "./replication.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

/** The parameters after the partition's name, as values of SQL. */
const createPartition = (
  db: Database,
  table: string,
  part: string,
  field: string | null = "ctime",
  time: string | null = "2011-01-15 12:00",
  period = "month",
): Promise<number | undefined> =>
  db.queryValue("select londiste.create_partition($1, $2, 'id', $3, $4, $5)", [
    table,
    part,
    field,
    time,
    period,
  ]);

const definitions = async (db: Database, sql: string): Promise<string[]> =>
  (await db.query<{ text: string }>(sql)).map(({ text }) => text);

test("a partition is like its parent: indexes, checks, defaults, grants, triggers, rules", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create role part_reader; create role part_granter;
    create table events (
        id int4 not null primary key, txt text not null default 'x',
        ctime timestamptz not null default now(), someval int4 check (someval > 0));
    create index ctime_idx on events (ctime);
    create table events_log (note text);
    create rule ignore_dups as on insert to events where (exists (select 1 from events e where e.id = new.id))
        do instead nothing;
    create rule note_events as on delete to events do also insert into events_log values ('gone');
    create function "Null Trigger"() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger "Foo ON public.events zà" after delete on events for each row
        when (old.someval > 0) execute function "Null Trigger"();
    create trigger off before update of txt on events for each statement execute function "Null Trigger"('x y');
    alter table events enable always trigger "Foo ON public.events zà";
    alter table events disable trigger off;
    alter table events enable replica rule note_events;
    grant select, insert, delete on events to part_reader;
    grant select, update on events to part_granter with grant option;
    grant select on events to public;`);
  equal(await createPartition(db, "events", "events_2011_01"), 1);
  equal(await createPartition(db, "events", "events_2011_01"), 0);
  const tableColumn = "'events_2011_01'::regclass";
  equal(await db.queryValue(`select count(*)::int4 from pg_index where indrelid = ${tableColumn}`), 2);
  deepEqual(
    await definitions(
      db,
      `select pg_get_constraintdef(oid) as text from pg_constraint
        where conrelid = ${tableColumn} and contype in ('c', 'p') order by 1`,
    ),
    [
      "CHECK (((ctime >= '2011-01-01 00:00:00+00'::timestamp with time zone) AND (ctime < '2011-02-01 00:00:00+00'::timestamp with time zone)))",
      "CHECK ((someval > 0))",
      "PRIMARY KEY (id)",
    ],
  );
  deepEqual(
    await definitions(
      db,
      `select tgenabled::text || ' ' || regexp_replace(pg_get_triggerdef(oid), 'EXECUTE.*', '') as text
         from pg_trigger where tgrelid = ${tableColumn} order by tgname`,
    ),
    [
      'A CREATE TRIGGER "Foo ON public.events zà" AFTER DELETE ON public.events_2011_01 FOR EACH ROW WHEN ((old.someval > 0)) ',
      "D CREATE TRIGGER off BEFORE UPDATE OF txt ON public.events_2011_01 FOR EACH STATEMENT ",
    ],
  );
  const rules = await definitions(
    db,
    `select ev_enabled::text || ' ' || regexp_replace(pg_get_ruledef(oid), '\\s+', ' ', 'g') as text
       from pg_rewrite where ev_class = ${tableColumn} order by rulename`,
  );
  match(
    rules[0] ?? "",
    /^O CREATE RULE ignore_dups AS ON INSERT TO public\.events_2011_01 .*FROM (public\.)?events e/,
  );
  match(
    rules[1] ?? "",
    /^R CREATE RULE note_events AS ON DELETE TO public\.events_2011_01 DO INSERT INTO (public\.)?events_log/,
  );
  deepEqual(
    await definitions(
      db,
      `select grantee || ' ' || privilege_type || ' ' || is_grantable as text
         from information_schema.table_privileges
        where table_name = 'events_2011_01' and grantee in ('PUBLIC', 'part_reader', 'part_granter') order by 1`,
    ),
    [
      "PUBLIC SELECT NO",
      "part_granter SELECT YES",
      "part_granter UPDATE YES",
      "part_reader DELETE NO",
      "part_reader INSERT NO",
      "part_reader SELECT NO",
    ],
  );
});

test("raw names of any shape, and quoted ones as the dispatch handler passes them", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create schema "S p";
    create table "S p"."Tab ""q"".x!" (id int4 primary key, ctime date);
    create rule "ru le" as on insert to "S p"."Tab ""q"".x!" do instead nothing;
    alter table "S p"."Tab ""q"".x!" enable always rule "ru le";
    create table "Mixed" (id int4 primary key, "When" date)`);
  equal(await createPartition(db, 'S p.Tab "q".x!', 'S p.Tab "q".x!_2011', "ctime", "2011-05-05", "year"), 1);
  deepEqual(await db.query("select tablename, rulename from pg_rules where schemaname = 'S p' order by 1"), [
    { tablename: 'Tab "q".x!', rulename: "ru le" },
    { tablename: 'Tab "q".x!_2011', rulename: "ru le" },
  ]);
  equal(await createPartition(db, 'public."Mixed"', 'public."Mixed_2011"', "When"), 1);
  equal(await createPartition(db, '"Mixed"', '"Mixed_2011"', "When"), 0);
  deepEqual(await db.query("select to_regclass('\"Mixed_2011\"')::text as name"), [{ name: '"Mixed_2011"' }]);
});

test("identity and generated columns", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create table t (id int4 generated always as identity primary key, a int4,
        twice int4 generated always as (a * 2) stored, ctime timestamptz)`);
  equal(await createPartition(db, "t", "t_2011_01"), 1);
  await db.execute("insert into t (a) values (1); insert into t_2011_01 (a, ctime) values (4, '2011-01-02')");
  deepEqual(await db.query("select id, a, twice from t order by id"), [
    { id: 1, a: 1, twice: 2 },
    { id: 2, a: 4, twice: 8 },
  ]);
});

test("a natively partitioned table gets native partitions", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create role native_reader;
    create table p (id int4, ctime timestamptz, primary key (id, ctime)) partition by range (ctime);
    grant select on p to native_reader`);
  equal(await createPartition(db, "p", "p_2011_01"), 1);
  equal(await createPartition(db, "p", "p_2011_02", "ctime", "2011-02-03"), 1);
  await db.execute("insert into p values (1, '2011-01-31 23:59'), (1, '2011-02-01')");
  equal(await db.queryValue("select count(*)::int4 from p_2011_02"), 1);
  equal(await db.queryValue("select has_table_privilege('native_reader', 'p_2011_02', 'select')"), true);
});

test("changes of a partition are captured under the name of the parent, truncates are not", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await createRoot(db, "generic");
  await db.execute("create table t (id int4 primary key, ctime timestamptz)");
  await answer(db, "londiste.local_add_table", "q", "set name", [], null, "t");
  await answer(db, "londiste.local_add_table", "generic", "t", ["tgflags=L"]);
  equal(await createPartition(db, "t", "t_2011_01"), 1);
  deepEqual(
    (await triggersOf(db, "t_2011_01")).filter((one) => !/_(begin|delete|insert|update|truncate) /.test(one)),
    [
      "_londiste_generic pgq.logutriga(generic,ev_extra1='public.t')",
      "_londiste_q pgq.capture_json(q,ev_extra1='public.set name')",
    ],
  );
  await db.execute("insert into t_2011_01 values (1, '2011-01-02'); truncate t_2011_01");
  deepEqual(
    (await queueEvents(db, "q")).slice(1).map(([, , table]) => table),
    ["public.set name"],
  );
  deepEqual(
    (await queueEvents(db, "generic")).slice(1).map(([type, , table]) => `${type} ${table}`),
    ["I:id public.t", "R public.t_2011_01"],
  );
});

test("wrong arguments are refused", async () => {
  const { db } = await fixture.database();
  await db.execute("create table t (id int4 primary key, ctime timestamptz)");
  await rejects(
    db.query("select londiste.create_partition('t', null, null, null, null, null)"),
    /need table and part/,
  );
  await rejects(createPartition(db, "nowhere", "x"), /relation "public.nowhere" does not exist/);
  await rejects(createPartition(db, "t", "x", "ctime", null), /need time and period of partition x/);
  await rejects(createPartition(db, "t", "x", "ctime", "2011-01-01", "monthly"), /not recognized|invalid/);
  equal(await createPartition(db, "t", "t_all", null, null), 1);
  equal(await createPartition(db, "t", "t_pkey"), 0, "any relation of that name counts");
});

test("partitions are created one after the other, beside writers", async () => {
  const { db, another } = await fixture.database();
  await db.execute("create table t (id int4 primary key, ctime timestamptz)");
  const writer = await another({ autocommit: false });
  await writer.query("insert into t values (1)");
  const first = await another({ autocommit: false });
  const second = await another();
  equal(await createPartition(first, "t", "t_2011_01"), 1);
  const waiting = createPartition(second, "t", "t_2011_01");
  await waitFor("the second call to wait", () =>
    db.queryValue("select true from pg_locks where pid = $1 and not granted", [second.backendPid]),
  );
  await first.commit();
  equal(await waiting, 0);
  await writer.commit();
});

test("obsolete partitions are recognised by name, listed and dropped", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create schema "S.";
    create table "a.b" (id int4); create table "a.b_2011" (); create table "a.b_2011_01" ();
    create table "a.b_2011_01_02" (); create table "a.b_2011_01_02_03" (); create table "a.b_2999_01" ();
    create table "axb_2011_01" (); create table "a.b_c_2011_01" ();`);
  const list = (period: string): Promise<string[]> =>
    definitions(db, `select londiste.list_obsolete_partitions('public.a.b', '1 year', '${period}') as text`);
  deepEqual(await list("year"), ['public."a.b_2011"']);
  deepEqual(await list("monthly"), ['public."a.b_2011_01"']);
  deepEqual(await list("daily"), ['public."a.b_2011_01_02"']);
  deepEqual(await list("hour"), ['public."a.b_2011_01_02_03"']);
  await rejects(list("week"), /not supported i_partition_period: week/);
  const isObsolete = (name: string, period: string): Promise<unknown> =>
    db.queryValue("select londiste.is_obsolete_partition($1, '1 year', $2)", [name, period]);
  equal(await isObsolete("public.x_2011_01", "month"), true);
  equal(await isObsolete('"public"."x_2011_01"', "month"), true);
  equal(await isObsolete("x_2999_01", "month"), false);
  equal(await isObsolete("x_2011_01_02", "month"), null);
  deepEqual(
    await definitions(
      db,
      "select londiste.drop_obsolete_partitions('public.a.b', '1 year', 'month') as text",
    ),
    ['public."a.b_2011_01"'],
  );
  deepEqual(await list("month"), []);
});

test("TRUNCATE of one partition is captured as deletes, also of one made later; that of the table as itself", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "aset");
  await db.execute(`
    create role truncater; grant all on schema public to truncater;
    create table parts (id int primary key, v text) partition by range (id);
    create table parts1 partition of parts for values from (0) to (10);
    create table parts2 partition of parts for values from (10) to (20) partition by range (id);
    create table parts21 partition of parts2 for values from (10) to (15);
    grant truncate on parts, parts1 to truncater;`);
  await answer(db, "londiste.local_add_table", "aset", "set.parts", [], null, "public.parts");
  await db.execute("insert into parts values (1, 'a'), (2, 'b'), (11, 'c')");
  await db.execute("set role truncater; truncate parts1; reset role");
  await db.execute("create table parts3 partition of parts for values from (30) to (40)");
  equal(await db.queryValue("select londiste.periodic_maintenance()"), 0);
  await db.execute("insert into parts values (31, 'd'); truncate parts2, parts3");
  await db.execute("insert into parts values (3, 'e'); set role truncater; truncate parts; reset role");
  await db.execute("begin; truncate parts; insert into parts values (4, 'f'); truncate parts1; commit");
  await db.execute(
    "alter table parts detach partition parts3; insert into parts3 values (32); truncate parts3",
  );
  const events = await db.query<{ text: string }>(
    `select concat_ws(' ', coalesce(substring(ev_type, '"op":"(.)'), ev_type), substring(ev_data, '"id":(\\d+)')) as text
       from pgq.event_template where ev_extra1 = 'set.parts' order by ev_id`,
  );
  deepEqual(
    events.map(({ text }) => text),
    ["I 1", "I 2", "I 11", "D 1", "D 2", "I 31", "D 11", "D 31", "I 3", "R", "R", "I 4", "D 4"],
  );
  await answer(db, "londiste.local_remove_table", "aset", "set.parts");
  for (const part of ["parts", "parts1", "parts2", "parts21"]) deepEqual(await triggersOf(db, part), []);
});

test("TRUNCATE of one partition is refused on a leaf", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "aset", "leaf", 1n);
  await db.execute(`create table parts (id int primary key) partition by range (id);
    create table parts1 partition of parts for values from (0) to (10)`);
  await answer(db, "londiste.global_add_table", "aset", "public.parts");
  await answer(db, "londiste.local_add_table", "aset", "public.parts");
  await rejects(
    db.execute("truncate parts1"),
    /Table 'public\.parts' to queue 'aset': change not allowed \(TRUNCATE\)/,
  );
});
