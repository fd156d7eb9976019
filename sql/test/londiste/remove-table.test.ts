import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber, queueEvents, rowsOf } from "../pgq_node/node.ts";
import { tableList, triggersOf } from "./replication.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

const rowCount = (db: Database, table: string): Promise<number | undefined> =>
  db.queryValue(`select count(*)::int4 from ${table}`);

const indexCount = (db: Database, table: string): Promise<number | undefined> =>
  db.queryValue("select count(*)::int4 from pg_index where indrelid = $1::regclass", [table]);

/** A local table in-copy whose key is stored as dropped, with unqualified names as copies store them. */
async function inCopy(db: Database, queue: string, table: string, destination: string): Promise<void> {
  await db.query(
    `insert into londiste.table_info (queue_name, table_name, dest_table, local, merge_state, dropped_ddl)
     values ($1, $2, nullif($3, $2), true, 'in-copy', $4)`,
    [
      queue,
      `public.${table}`,
      `public.${destination}`,
      `alter table ${destination} add primary key (id); create index on ${destination} (data)`,
    ],
  );
}

test("a table in the middle of its copy is emptied and gets its indexes back", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "leaf", 1n);
  await db.execute("create table t (id int4, data text); insert into t values (1, 'half'), (1, 'copied')");
  await inCopy(db, "q", "t", "t");
  equal(await answer(db, "londiste.local_remove_table", "q", "t"), '200 "Table removed: public.t"');
  equal(await rowCount(db, "t"), 0);
  equal(await indexCount(db, "t"), 2);
});

test("a node that is dropped in the middle of a copy gives indexes back, those of tables that had none too", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "leaf", 1n);
  await db.execute(
    "create table t (id int4, data text); insert into t values (1, 'half'); create table u (id int4)",
  );
  await inCopy(db, "q", "t", "t");
  await inCopy(db, "q", "u", "u");
  await db.execute(`
    update londiste.table_info set dropped_ddl = '' where table_name = 'public.u';
    update londiste.table_info set dropped_ddl = replace(dropped_ddl, ' t ', ' public.t ') where table_name = 'public.t'`);
  await db.query("select * from pgq_node.drop_node('q', 'leaf')");
  equal(await rowCount(db, "t"), 0);
  equal(await indexCount(db, "t"), 2);
  equal(await indexCount(db, "u"), 0);
});

test("a renamed table is the one that is emptied, never one that has the set's name", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "leaf", 1n);
  await db.execute(`
    create table t (id int4 primary key); insert into t values (1);
    create table physical (id int4, data text); insert into physical values (1, 'half')`);
  await inCopy(db, "q", "t", "physical");
  equal(await answer(db, "londiste.local_remove_table", "q", "t"), '200 "Table removed: public.t"');
  equal(await rowCount(db, "t"), 1);
  equal(await rowCount(db, "physical"), 0);
  equal(await indexCount(db, "physical"), 2);
});

test("a shared table keeps the rows of the other parts, and the next copy gets the statements", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "combined");
  for (const queue of ["part1", "part2"]) await createSubscriber(db, queue, "leaf", 1n, "combined");
  await db.execute("create table t (id int4 primary key, data text)");
  for (const queue of ["part1", "part2"]) {
    await answer(db, "londiste.global_add_table", queue, "t");
    await answer(db, "londiste.local_add_table", queue, "t", ["no_merge"]);
    await answer(db, "londiste.local_set_table_state", queue, "t", null, "in-copy");
  }
  await db.execute(`
    set session_replication_role = replica;
    alter table t drop constraint t_pkey;
    insert into t values (1, 'of part1'), (2, 'of part2');
    reset session_replication_role`);
  const ddl = "alter table t add primary key (id)";
  await answer(db, "londiste.local_set_table_struct", "part1", "public.t", ddl);

  equal(await answer(db, "londiste.local_remove_table", "part1", "t"), '200 "Table removed: public.t"');
  equal(await rowCount(db, "t"), 2);
  equal((await tableList(db, "part2"))[0]?.dropped_ddl, ddl);
  equal(await indexCount(db, "t"), 0);

  await db.execute(
    "update londiste.table_info set dropped_ddl = null, merge_state = 'ok' where queue_name = 'part2'",
  );
  await inCopy(db, "part1", "other", "t");
  equal(
    await answer(db, "londiste.local_remove_table", "part1", "other"),
    '200 "Table removed: public.other"',
  );
  equal(await rowCount(db, "t"), 2);
  equal(await indexCount(db, "t"), 2, "nobody else is copying: the indexes come back at once");
});

/** A node with two tables of the set in one local table that owns a sequence, both in sync. */
async function twoInOne(type: "root" | "branch" | "leaf", destination = "t"): Promise<Database> {
  const { db } = await fixture.database();
  if (type === "root") await createRoot(db, "q");
  else await createSubscriber(db, "q", type, 1n);
  await db.execute(
    destination === "t"
      ? "create table t (id serial primary key, v text)"
      : `create table ${destination} (id int primary key, v text) partition by range (id);
         create table part partition of ${destination} for values from (0) to (10)`,
  );
  for (const name of ["t", "other"]) {
    if (type !== "root") await answer(db, "londiste.global_add_table", "q", name);
    const tokens = type === "root" && name === "other" ? ["no_triggers"] : ["expect_sync"];
    const added = await answer(db, "londiste.local_add_table", "q", name, tokens, null, destination);
    equal(added.slice(0, 3), "200", added);
  }
  return db;
}

for (const removed of ["t", "other"]) {
  test(`a leaf still refuses changes of a local table when ${removed}, one of two tables in it, is removed`, async () => {
    const db = await twoInOne("leaf");
    await answer(db, "londiste.global_update_seq", "q", "t_id_seq", 5n);
    await answer(db, "londiste.local_add_seq", "q", "t_id_seq");
    await answer(db, "londiste.local_remove_table", "q", removed);
    for (const change of ["insert into t (v) values ('x')", "truncate t"]) {
      await rejects(db.execute(change), /to queue 'q': change not allowed/);
    }
    deepEqual(
      (await rowsOf(db, "londiste.get_seq_list", "q")).map(({ local }) => local),
      [true],
      "the sequence still follows",
    );
    await answer(db, "londiste.local_remove_table", "q", removed === "t" ? "other" : "t");
    deepEqual(await triggersOf(db, "t"), []);
    await db.execute("insert into t (v) values ('x')");
  });
}

test("a leaf still refuses TRUNCATE of a partition when one of two tables of the set is removed from its table", async () => {
  const db = await twoInOne("leaf", "parts");
  await answer(db, "londiste.local_remove_table", "q", "other");
  await rejects(db.execute("truncate part"), /Table 'public.t' to queue 'q': change not allowed/);
  await answer(db, "londiste.local_remove_table", "q", "t");
  await db.execute("truncate part");
});

test("on a branch the triggers of a local table write the name of the table that stays", async () => {
  const db = await twoInOne("branch");
  match((await triggersOf(db, "t")).join(), /public\.other/);
  await answer(db, "londiste.local_remove_table", "q", "other");
  const triggers = await triggersOf(db, "t");
  match(triggers.join(), /public\.t/);
  await answer(db, "londiste.local_remove_table", "q", "t");
  await answer(db, "londiste.local_add_table", "q", "t", ["expect_sync"]);
  deepEqual(await triggersOf(db, "t"), triggers, "as if the other had never been there");
});

test("a root goes on capturing a table when another name of it, which has no triggers, is removed", async () => {
  const db = await twoInOne("root");
  const triggers = await triggersOf(db, "t");
  await answer(db, "londiste.local_add_seq", "q", "t_id_seq");
  await answer(db, "londiste.local_remove_table", "q", "other");
  deepEqual(await triggersOf(db, "t"), triggers);
  equal((await rowsOf(db, "londiste.get_seq_list", "q")).length, 1);
  await db.execute("insert into t (v) values ('x')");
  equal((await queueEvents(db, "q")).filter(([, , table]) => table === "public.t").length, 1);
  await answer(db, "londiste.local_remove_table", "q", "t");
  deepEqual(await triggersOf(db, "t"), []);
});

test("a node whose tables share a local one is dropped with all its triggers", async () => {
  const db = await twoInOne("leaf");
  await db.query("select * from pgq_node.drop_node('q', 'leaf')");
  deepEqual(await triggersOf(db, "t"), []);
});

const indexesOf = (db: Database, table: string): Promise<unknown[]> =>
  db.query(
    `select pg_get_indexdef(i.indexrelid) as index, pg_get_constraintdef(c.oid) as key
       from pg_index i left join pg_constraint c on c.conindid = i.indexrelid
      where i.indrelid = $1::regclass order by 1`,
    [table],
  );

/** Creates table "T t" with a row and indexes, and leaves it as a copy does that has died while it built them. Dates look other in
 * the statements than in the session.
 * @returns its indexes when they are whole, and the statements */
async function diedBetweenIndexes(db: Database): Promise<{ whole: unknown[]; ddl: string }> {
  await db.execute(`
    create schema "S s"; create table "S s"."T t" (id int4 primary key, day date, data text);
    create function "S s".f(text) returns text immutable language sql as 'select $1';
    create index "a USING b" on "S s"."T t" ("S s".f(data)) where day > '2026-02-01';
    create index missing on "S s"."T t" (data); create index added on "S s"."T t" (day)`);
  const whole = await indexesOf(db, '"S s"."T t"');
  const statements = await db.query<{ sql: string }>(
    `select pg_get_indexdef(indexrelid) as sql from pg_index
      where indrelid = '"S s"."T t"'::regclass and indexrelid <> '"S s".added'::regclass
     union all select 'alter table "S s"."T t" add constraint "T t_pkey" primary key using index "T t_pkey"'`,
  );
  await db.execute(`
    set datestyle = 'German';
    alter table "S s"."T t" drop constraint "T t_pkey";
    create unique index "T t_pkey" on "S s"."T t" (id);
    insert into "S s"."T t" values (1, '2026-03-01', 'half'); drop index "S s".missing`);
  return { whole, ddl: statements.map(({ sql }) => `${sql};\n`).join("") };
}

for (const path of ["public", '"S s", public']) {
  test(`a copy that has died between its indexes is removed, and all are there, with search path ${path}`, async () => {
    const { db } = await fixture.database();
    await createSubscriber(db, "q", "leaf", 1n);
    const { whole, ddl } = await diedBetweenIndexes(db);
    await inCopy(db, "q", "t", "t");
    await db.query("update londiste.table_info set dest_table = 'S s.T t', dropped_ddl = $1", [ddl]);
    await db.execute(`set search_path = ${path}`);
    equal(await answer(db, "londiste.local_remove_table", "q", "t"), '200 "Table removed: public.t"');
    await db.execute("reset search_path; reset datestyle");
    equal(await rowCount(db, '"S s"."T t"'), 0);
    deepEqual(await indexesOf(db, '"S s"."T t"'), whole);
  });
}

test("a copy that inherits the statements of one that has died between its indexes inherits none of these", async () => {
  const { db } = await fixture.database();
  for (const queue of ["part1", "part2"]) await createSubscriber(db, queue, "leaf", 1n);
  const { whole, ddl } = await diedBetweenIndexes(db);
  await inCopy(db, "part1", "t", "t");
  await inCopy(db, "part2", "t", "t");
  await db.query(
    "update londiste.table_info set dest_table = 'S s.T t', dropped_ddl = case queue_name when 'part1' then $1 end",
    [ddl],
  );
  await db.query("select * from pgq_node.drop_node('part1', 'leaf')");
  equal((await tableList(db, "part2"))[0]?.dropped_ddl, ddl);
  equal(await rowCount(db, '"S s"."T t"'), 1);
  equal(await indexCount(db, '"S s"."T t"'), 1, "only the index that the copy does not know is left");
  await db.execute(`${ddl}; reset datestyle`);
  deepEqual(await indexesOf(db, '"S s"."T t"'), whole);
});

test("a table that is gone can still be removed", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "leaf", 1n);
  await inCopy(db, "q", "t", "t");
  equal(await answer(db, "londiste.local_remove_table", "q", "t"), '200 "Table removed: public.t"');
  deepEqual(await tableList(db, "q"), [{ table_name: "public.t", copy_pos: 0 }]);
});

test("the worker's replica role leaves nothing behind", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "branch", 1n);
  await db.execute("create table t (id int4 primary key)");
  await answer(db, "londiste.global_add_table", "q", "t");
  await answer(db, "londiste.local_add_table", "q", "t");
  await answer(db, "londiste.local_copy_start", "q", "t", "host 1", "provider", null, null);
  await db.execute("set session_replication_role = replica");
  equal(await answer(db, "londiste.global_remove_table", "q", "public.t"), '200 "Table removed: public.t"');
  deepEqual(await triggersOf(db, "t"), []);
  deepEqual(await db.query("select * from londiste.table_info"), []);
  deepEqual(await db.query("select * from londiste.copy_progress"), []);
});
