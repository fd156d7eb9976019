import { deepEqual, equal, match, notDeepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, queueEvents } from "../pgq_node/node.ts";
import { triggerIdentities, triggersOf } from "./replication.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

async function root(queue = "q"): Promise<Database> {
  const { db } = await fixture.database();
  await createRoot(db, queue);
  await db.execute("create table t (id int4 primary key, data text)");
  return db;
}

const create = (
  db: Database,
  args: readonly string[],
  options: { queue?: string; table?: string; destination?: string; type?: string } = {},
): Promise<string> => {
  const { queue = "q", table = "public.t", destination = table, type = "root" } = options;
  return answer(db, "londiste.create_trigger", queue, table, args, destination, type);
};

/** `timing events` of each row trigger. */
async function rowTriggers(db: Database): Promise<string[]> {
  const rows = await db.query<{ text: string }>(
    `select regexp_replace(pg_get_triggerdef(oid), '^.* (BEFORE|AFTER) (.*) ON .* EXECUTE FUNCTION (\\S+)\\(.*$', '\\1 \\2: \\3')
              as text
       from pg_trigger where tgrelid = 't'::regclass and not tgisinternal and tgtype & 1 = 1 order by tgname`,
  );
  return rows.map(({ text }) => text);
}

test("flags choose timing, operations and format", async () => {
  const db = await root();
  for (const [flags, expected] of [
    ["L", "AFTER INSERT OR DELETE OR UPDATE: pgq.logutriga"],
    ["q", "AFTER INSERT OR DELETE OR UPDATE: pgq.sqltriga"],
    ["BI", "BEFORE INSERT: pgq.logutriga"],
    ["BAQLJIU", "AFTER INSERT OR UPDATE: pgq.jsontriga"],
    ["DxyzQ", "AFTER DELETE: pgq.sqltriga"],
  ] as const) {
    equal(await create(db, [`tgflags=${flags}`]), '200 "OK"');
    deepEqual(await rowTriggers(db), [expected], flags);
  }
  equal(await create(db, ["tgflags=I", "tgflags=J"]), '200 "OK"');
  deepEqual(await rowTriggers(db), ["AFTER INSERT: pgq.jsontriga"]);
});

test("no trigger where none is wanted", async () => {
  const db = await root();
  for (const token of ["no_triggers", "virtual_table"]) {
    equal(await create(db, [token, "tgflags=J"]), '201 "Trigger not created"');
  }
  deepEqual(await rowTriggers(db), []);
});

test("generated capture and generic triggers replace each other", async () => {
  const db = await root();
  equal(await create(db, []), '200 "OK"');
  const generated = await triggersOf(db, "t");
  equal(await create(db, ["tgflags=L"]), '200 "OK"');
  deepEqual(await triggersOf(db, "t"), [
    "_londiste_q pgq.logutriga(q)",
    "_londiste_q_truncate pgq.sqltriga(q)",
  ]);
  equal(await create(db, []), '200 "OK"');
  deepEqual(await triggersOf(db, "t"), generated);
  await db.execute("insert into t values (1, 'x'); truncate t");
  equal((await queueEvents(db, "q")).length, 2);
});

test("no second trigger, no lock, no new object when nothing changes", async () => {
  const db = await root();
  for (const args of [
    [],
    ["backup", "ev_extra3='x'"],
    ["tgflags=L"],
    ["tgflags=BLI", "ignore=data"],
    ["tgflags=B", "skip"],
  ]) {
    equal(await create(db, args), '200 "OK"');
    const before = await triggerIdentities(db, "t");
    equal(await create(db, args), '200 "OK"');
    deepEqual(await triggerIdentities(db, "t"), before, args.join(" "));
  }
  const before = await triggerIdentities(db, "t");
  equal(await create(db, ["tgflags=L"], { type: "leaf" }), '200 "OK"');
  notDeepEqual(await triggerIdentities(db, "t"), before);
  deepEqual(await triggersOf(db, "t"), [
    "_londiste_q pgq.logutriga(q,deny)",
    "_londiste_q_truncate pgq.sqltriga(q,deny)",
  ]);
  equal(await create(db, ["tgflags=L"]), '200 "OK"');
  deepEqual(await triggersOf(db, "t"), [
    "_londiste_q pgq.logutriga(q)",
    "_londiste_q_truncate pgq.sqltriga(q)",
  ]);
});

test("a disabled trigger is put back to work", async () => {
  const db = await root();
  await create(db, ["tgflags=L"]);
  await db.execute("alter table t disable trigger _londiste_q");
  await create(db, ["tgflags=L"]);
  await db.execute("insert into t values (1, 'x')");
  equal((await queueEvents(db, "q")).length, 1);
});

test("skip triggers swallow the change, once only, and give way again", async () => {
  const db = await root();
  equal(await create(db, ["tgflags=BL", "skip"]), '200 "OK"');
  equal(await create(db, ["tgflags=BLS"]), '200 "OK"');
  deepEqual(await triggersOf(db, "t"), [
    "_londiste_q_truncate pgq.sqltriga(q)",
    "zzz__londiste_q pgq.logutriga(q,SKIP)",
  ]);
  await db.execute("insert into t values (1, 'x')");
  equal((await queueEvents(db, "q")).length, 1);
  equal(await db.queryValue("select count(*)::int4 from t"), 0);
  equal(await create(db, ["tgflags=L"]), '200 "OK"');
  deepEqual(await triggersOf(db, "t"), [
    "_londiste_q pgq.logutriga(q)",
    "_londiste_q_truncate pgq.sqltriga(q)",
  ]);
});

test("somebody else's skip trigger fires last and is the only one", async () => {
  const db = await root();
  await createRoot(db, "other");
  await db.execute(
    `create trigger mine before insert on t for each row execute function pgq.logutriga('other', 'SKIP')`,
  );
  equal(await create(db, []), '403 "AFTER trigger cannot work with SKIP trigger(s)"');
  equal(await create(db, ["tgflags=BL"]), '200 "OK"');
  equal(await create(db, ["tgflags=BLS"]), '200 "OK"');
  equal(await create(db, ["tgflags=BLS"]), '200 "OK"');
  deepEqual(await triggersOf(db, "t"), [
    "_londiste_q pgq.logutriga(q)",
    "_londiste_q_truncate pgq.sqltriga(q)",
    "zzz_mine pgq.logutriga(other,SKIP)",
  ]);
  await db.execute(
    `create trigger more before insert on t for each row execute function pgq.logutriga('other', 'SKIP')`,
  );
  equal(await create(db, ["tgflags=BLS"]), '405 "Multiple SKIP triggers"');
  equal(
    await answer(db, "londiste.local_add_table", "q", "t"),
    '403 "Trigger creation failed for table public.t: AFTER trigger cannot work with SKIP trigger(s)"',
  );
});

test("events and truncates of a renamed table carry its name in the set", async () => {
  const db = await root();
  for (const args of [[], ["tgflags=L"], ["tgflags=Q"]]) {
    await create(db, args, { table: "public.it's set", destination: "public.t" });
    await db.execute("insert into t values (1, 'x'); truncate t; truncate pgq.event_1_0");
    await db.execute("insert into t values (1, 'x'); truncate t");
    const events = await db.query(
      "select ev_extra1, ev_type = 'R' as is_truncate from pgq.event_1 order by ev_id",
    );
    deepEqual(
      events,
      [false, true].map((isTruncate) => ({ ev_extra1: "public.it's set", is_truncate: isTruncate })),
    );
  }
  await create(db, ["ev_extra1='own'"], { table: "public.set", destination: "public.t" });
  deepEqual(
    (await triggersOf(db, "t")).filter((one) => one.startsWith("_londiste_q ")),
    ["_londiste_q pgq.capture_json(q,ev_extra1='own')"],
  );
});

test("queue names of any length have triggers of their own", async () => {
  const { db } = await fixture.database();
  await db.execute("create table t (id int4 primary key, data text)");
  const queues = ["a", "b"].flatMap((end) =>
    [44, 45, 52, 53, 63].map((length) => end.padStart(length, "long_queue_")),
  );
  for (const queue of queues) {
    await createRoot(db, queue);
    for (const args of [[], ["tgflags=L"], []]) equal(await create(db, args, { queue }), '200 "OK"');
  }
  await db.execute("insert into t values (1, 'x'); update t set data = 'y'; delete from t; truncate t");
  for (const queue of queues) equal((await queueEvents(db, queue)).length, 4, queue);
  for (const queue of queues) {
    equal(await answer(db, "londiste.local_add_table", queue, "t"), '200 "Table added: public.t"');
    equal(await answer(db, "londiste.local_remove_table", queue, "t"), '200 "Table removed: public.t"');
  }
  deepEqual(await triggersOf(db, "t"), []);
});

test("generated columns are left out, in every format", async () => {
  const db = await root();
  await db.execute(`
    drop table t;
    create table t (id int4 primary key, a int4, twice int4 generated always as (a * 2) stored, b text)`);
  for (const [args, ignored] of [
    [[], "twice"],
    [["tgflags=L"], "twice"],
    [["ignore=b"], "b,twice"],
  ] as const) {
    equal(await create(db, args), '200 "OK"');
    const triggers = await triggersOf(db, "t");
    match(triggers[0] ?? "", new RegExp(`[(,]ignore=${ignored}[,)]`));
  }
  await create(db, []);
  await db.execute("insert into t values (1, 5, default, 'x')");
  deepEqual(
    (await queueEvents(db, "q")).map(([, data]) => data),
    ['{"id":1,"a":5,"b":"x"}'],
  );
});

test("a partitioned table is captured as one", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute(`
    create table parted (id int4 primary key, data text) partition by range (id);
    create table parted_1 partition of parted for values from (1) to (100);
    create table shuffled (data text, id int4 not null);
    alter table parted attach partition shuffled for values from (100) to (200)`);
  equal(await answer(db, "londiste.local_add_table", "q", "parted"), '200 "Table added: public.parted"');
  await db.execute(`
    insert into parted values (1, 'a'), (100, 'b');
    update parted set data = 'c' where id = 100;
    create table parted_3 partition of parted for values from (200) to (300);
    insert into parted_3 values (200, 'd');
    delete from parted where id = 1;
    truncate parted`);
  const events = await db.query<{ text: string }>(
    `select concat_ws(' ', case when ev_type = 'R' then 'R' else ev_type::json->>'op' end,
              ev_data::json->>'id', ev_data::json->>'data', ev_extra1) as text
       from (select ev_id, ev_type, nullif(ev_data, '') as ev_data, ev_extra1 from pgq.event_1) e
      where ev_type not like 'londiste.%' order by ev_id`,
  );
  deepEqual(
    events.map(({ text }) => text),
    [
      "INSERT 1 a public.parted",
      "INSERT 100 b public.parted",
      "UPDATE 100 c public.parted",
      "INSERT 200 d public.parted",
      "DELETE 1 a public.parted",
      "R public.parted",
    ],
  );
  equal(
    await answer(db, "londiste.local_add_table", "q", "parted_1"),
    '405 "Table public.parted_1 shares rows with table public.parted, use remove-table first to remove it"',
  );
  equal(await answer(db, "londiste.local_remove_table", "q", "parted"), '200 "Table removed: public.parted"');
  for (const table of ["parted", "parted_1", "shuffled"]) deepEqual(await triggersOf(db, table), []);
  equal(await answer(db, "londiste.local_add_table", "q", "parted_1"), '200 "Table added: public.parted_1"');
  equal(
    await answer(db, "londiste.local_add_table", "q", "parted"),
    '405 "Table public.parted shares rows with table public.parted_1, use remove-table first to remove it"',
  );
});

test("triggers that a user made for the queue stay until the table is removed", async () => {
  const db = await root();
  await answer(db, "londiste.local_add_table", "q", "t");
  await db.execute("create trigger mine after insert on t for each row execute function pgq.sqltriga('q')");
  await create(db, []);
  equal(
    (await triggersOf(db, "t")).some((one) => one.startsWith("mine ")),
    true,
  );
  await createRoot(db, "other");
  await db.execute(
    "create trigger others after insert on t for each row execute function pgq.sqltriga('other')",
  );
  await answer(db, "londiste.local_remove_table", "q", "t");
  deepEqual(await triggersOf(db, "t"), ["others pgq.sqltriga(other)"]);
});

test("scripts run without being captured", async () => {
  const db = await root();
  await answer(db, "londiste.local_add_table", "q", "t");
  await db.execute("set session_replication_role = local; insert into t values (1, 'x'); truncate t");
  deepEqual(await queueEvents(db, "q"), [["londiste.add-table", "public.t"]]);
});
