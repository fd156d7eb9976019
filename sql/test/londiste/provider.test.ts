import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber, queueEvents, rowsOf } from "../pgq_node/node.ts";
import { pairs, tableList, triggersOf } from "./replication.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

async function root(): Promise<Database> {
  const { db } = await fixture.database();
  await createRoot(db, "aset");
  await db.execute(`
    create table testdata (id serial primary key, txt text);
    create table testdata_nopk (id serial, txt text);`);
  return db;
}

test("a table is captured from the moment it is added until it is removed", async () => {
  const db = await root();
  equal(
    await answer(db, "londiste.local_add_table", "aset", "public.testdata_nopk"),
    '400 "Primary key missing on table: public.testdata_nopk"',
  );
  equal(
    await answer(db, "londiste.local_add_table", "aset", "testdata"),
    '200 "Table added: public.testdata"',
  );
  await db.execute("insert into testdata (txt) values ('test-data')");
  deepEqual(await tableList(db, "aset"), [
    { table_name: "public.testdata", local: true, merge_state: "ok", copy_pos: 0 },
  ]);
  deepEqual(pairs(await rowsOf(db, "londiste.local_show_missing", "aset")), [
    "S public.testdata_id_seq",
    "S public.testdata_nopk_id_seq",
    "r public.testdata_nopk",
  ]);
  equal(
    await answer(db, "londiste.local_remove_table", "aset", "public.testdata"),
    '200 "Table removed: public.testdata"',
  );
  equal(
    await answer(db, "londiste.local_remove_table", "aset", "public.testdata"),
    '400 "Table not found: public.testdata"',
  );
  deepEqual(await triggersOf(db, "testdata"), []);
  deepEqual(await tableList(db, "aset"), []);
  await db.execute("insert into testdata (txt) values ('not captured')");
  deepEqual(await queueEvents(db, "aset"), [
    ["londiste.add-table", "public.testdata"],
    [
      '{"op":"INSERT","table":["public","testdata"],"pkey":["id"]}',
      '{"id":1,"txt":"test-data"}',
      "public.testdata",
    ],
    ["londiste.remove-table", "public.testdata"],
  ]);
});

test("a table is added once; other attributes are refused", async () => {
  const db = await root();
  const add = (...args: readonly unknown[]): Promise<string> =>
    answer(db, "londiste.local_add_table", "aset", "testdata", ...args);
  equal(await add(["ev_extra4='test=' || txt"]), '200 "Table added: public.testdata"');
  equal(await add(), '200 "Table already added: public.testdata"');
  equal(
    await add([], "handler=foobar"),
    '410 "Table public.testdata already added, but with different args: "',
  );
  await db.execute("insert into testdata (txt) values ('data'); truncate testdata");
  const events = await db.query("select ev_type, ev_extra1, ev_extra4 from pgq.event_1 where ev_id > 1");
  deepEqual(events, [
    {
      ev_type: '{"op":"INSERT","table":["public","testdata"],"pkey":["id"]}',
      ev_extra1: "public.testdata",
      ev_extra4: "test=data",
    },
    { ev_type: "R", ev_extra1: "public.testdata", ev_extra4: null },
  ]);
});

test("what cannot be added is answered, and nothing is left", async () => {
  const db = await root();
  const add = (queue: string, table: string, ...args: readonly unknown[]): Promise<string> =>
    answer(db, "londiste.local_add_table", queue, table, ...args);
  equal(await add("aset", "nowhere"), '404 "Table does not exist: public.nowhere"');
  equal(
    await add("aset", "x", null, null, "nowhere"),
    '404 "Table does not exist: public.x(public.nowhere)"',
  );
  equal(await add("noset", "testdata"), '400 "No such set: noset"');
  equal(await add("noset", "nowhere"), '404 "Table does not exist: public.nowhere"');
  equal(
    await add("aset", "testdata", ["merge_all", "no_merge"]),
    '405 "Cannot use merge-all and no-merge together"',
  );
  deepEqual(await rowsOf(db, "londiste.local_add_table", "aset", null), [{ ret_code: null, ret_note: null }]);
  deepEqual(await tableList(db, "aset"), []);
  deepEqual(await queueEvents(db, "aset"), []);
});

test("a deferrable key does not tell rows apart: it is refused on a root, unless other columns are named", async () => {
  const db = await root();
  await db.execute("create table late (id int primary key deferrable, code text not null unique)");
  const add = (args: readonly string[]): Promise<string> =>
    answer(db, "londiste.local_add_table", "aset", "late", args);
  equal(await add([]), '400 "Primary key is deferrable: public.late"');
  deepEqual(await tableList(db, "aset"), []);
  equal(await add(["pkey=code"]), '200 "Table added: public.late"');
});

test("a deleted registration takes its triggers along", async () => {
  const db = await root();
  await answer(db, "londiste.local_add_table", "aset", "testdata");
  await db.execute("delete from londiste.table_info");
  deepEqual(await triggersOf(db, "testdata"), []);
  deepEqual(await db.query("select proname from pg_proc where proname like 'capture\\_json\\_%'"), []);
});

test("a handler change rebuilds the triggers and replaces the attributes", async () => {
  const db = await root();
  await answer(db, "londiste.local_add_table", "aset", "testdata");
  const change = (args: string[], attributes: string | null): Promise<string> =>
    answer(db, "londiste.local_change_handler", "aset", "public.testdata", args, attributes);
  await db.execute("insert into testdata (txt) values ('data')");
  equal(
    await change(["ev_extra4='test=' || txt"], "handler=foobar"),
    '200 "Handler changed for table: public.testdata"',
  );
  await db.execute("insert into testdata (txt) values ('data2')");
  equal((await tableList(db, "aset"))[0]?.table_attrs, "handler=foobar");
  equal(await change([], ""), '200 "Handler changed for table: public.testdata"');
  await db.execute("insert into testdata (txt) values ('data3'); truncate testdata");
  deepEqual(
    await db.query("select ev_extra4 from pgq.event_1 where ev_id > 1 order by ev_id"),
    [null, "test=data2", null, null].map((value) => ({ ev_extra4: value })),
  );
  equal((await tableList(db, "aset"))[0]?.table_attrs, "");
  equal(await change(["no_triggers"], null), '200 "Table handler updated with no triggers: public.testdata"');
  equal((await triggersOf(db, "testdata")).length > 0, true, "triggers are left alone");
  equal(
    await answer(db, "londiste.local_change_handler", "noset", "public.testdata", null, null),
    '400 "No such set: noset"',
  );
  equal(
    await answer(db, "londiste.local_change_handler", "aset", "testdata", null, null),
    '404 "no such local table: testdata"',
  );
});

test("registration tokens do not reach the trigger", async () => {
  const db = await root();
  equal(
    await answer(
      db,
      "londiste.local_add_table",
      "aset",
      "testdata",
      ["ev_extra4='x'", "expect_sync", "skip", "skip_truncate"],
      "handler=h",
    ),
    '200 "Table added: public.testdata"',
  );
  equal((await tableList(db, "aset"))[0]?.table_attrs, "handler=h&skip_truncate=1");
  await rejects(
    db.execute("insert into testdata (txt) values ('data')"),
    /SKIP does not work in AFTER trigger/,
  );
});

test("virtual tables and tables without triggers", async () => {
  const db = await root();
  equal(
    await answer(db, "londiste.local_add_table", "aset", "virtual", ["virtual_table"], "handler=vtable"),
    '200 "Table added with no triggers: public.virtual"',
  );
  equal(
    await answer(db, "londiste.local_add_table", "aset", "testdata", ["no_triggers"]),
    '200 "Table added with no triggers: public.testdata"',
  );
  deepEqual(await triggersOf(db, "testdata"), []);
  equal(
    await answer(db, "londiste.local_remove_table", "aset", "virtual"),
    '200 "Table removed: public.virtual"',
  );
});

test("a user's row trigger that fires first is warned about", async () => {
  const db = await root();
  await db.execute(`
    create function noise() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger "Audit" after insert on testdata for each row execute function noise();
    create trigger zz after insert on testdata for each row execute function noise();
    create trigger "A_logger" after insert on testdata for each row execute function noise();
    create trigger "Before" before insert on testdata for each row execute function noise();`);
  equal(
    await answer(db, "londiste.local_add_table", "aset", "testdata"),
    '301 "Table added: public.testdata, but londiste trigger is not first: Audit"',
  );
  equal((await tableList(db, "aset")).length, 1);
});

test("only a root sends events", async () => {
  const db = await root();
  equal(await db.queryValue("select londiste.root_notify_change('aset', 'type', 'data')"), 1);
  deepEqual(await queueEvents(db, "aset"), [["type", "data"]]);
  await rejects(
    db.query("select londiste.root_notify_change('noset', 't', 'd')"),
    /queue does not exist: noset/,
  );
  await createSubscriber(db, "elsewhere", "leaf", 1n);
  await rejects(
    db.query("select londiste.root_notify_change('elsewhere', 't', 'd')"),
    /only root node can send events/,
  );
});

test("a table becomes known to a set once, and only to a set that there is", async () => {
  const db = await root();
  const add = (queue: string) => answer(db, "londiste.global_add_table", queue, "testdata");
  equal(await add("aset"), '200 "Table added: testdata"');
  equal(await add("aset"), '200 "Table already added: public.testdata"');
  equal(await add("noset"), '400 "No such queue: noset"');
});

test("a set name of its own, awkward names all over", async () => {
  const { db } = await fixture.database();
  const queue = String.raw`Queue "of" it's \d`;
  await createRoot(db, queue);
  await db.execute(
    `create schema "S p"; create table "S p"."Tab.""q'1" ("Key" int4 primary key, "select" text)`,
  );
  const destination = `S p.Tab."q'1`;
  const name = String.raw`set.It's \ name`;
  equal(
    await answer(db, "londiste.local_add_table", queue, name, [], null, destination),
    `200 "Table added: ${name}(${destination})"`,
  );
  await db.execute(`insert into "S p"."Tab.""q'1" values (1, 'x'); truncate "S p"."Tab.""q'1"`);
  deepEqual((await queueEvents(db, queue)).slice(1), [
    [String.raw`{"op":"INSERT","table":["S p","Tab.\"q'1"],"pkey":["Key"]}`, '{"Key":1,"select":"x"}', name],
    ["R", "", name],
  ]);
  equal(await answer(db, "londiste.local_remove_table", queue, name), `200 "Table removed: ${name}"`);
  deepEqual(await triggersOf(db, `"S p"."Tab.""q'1"`), []);
});
