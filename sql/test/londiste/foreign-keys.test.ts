import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber, rowsOf } from "../pgq_node/node.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

/** ref_3 -> ref_2 -> ref_1, all local on a branch. */
async function chain(): Promise<Database> {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "branch", 1n);
  await db.execute(`
    create table ref_1 (id int4 primary key);
    create table ref_2 (id int4 primary key, ref int4 not null references ref_1);
    create table ref_3 (id int4 primary key, ref2 int4 not null references ref_2);`);
  await addTables(db, "q", "ref_1", "ref_2", "ref_3");
  return db;
}

async function addTables(db: Database, queue: string, ...tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    await answer(db, "londiste.global_add_table", queue, table);
    equal(await answer(db, "londiste.local_add_table", queue, table), `200 "Table added: public.${table}"`);
  }
}

const setOk = (db: Database, table: string, snapshot: string | null = null): Promise<string> =>
  answer(db, "londiste.local_set_table_state", "q", table, snapshot, "ok");

async function keyNames(db: Database, name: string, argument: string): Promise<unknown[]> {
  return (await rowsOf(db, `londiste.${name}`, argument)).map((one) => one.fkey_name);
}

const drop = (db: Database, table: string, key: string): Promise<number | undefined> =>
  db.queryValue("select londiste.drop_table_fkey($1, $2)", [`public.${table}`, key]);

const restore = (db: Database, table: string, key: string, isLazy: boolean): Promise<string | undefined> =>
  db.queryValue("select londiste.restore_table_fkey($1, $2, $3)", [`public.${table}`, key, isLazy]);

/** Restores a key as a worker does: executes what is returned until nothing is.
 * @returns the statements */
async function restoreLazily(db: Database, table: string, key: string): Promise<string[]> {
  const statements: string[] = [];
  for (;;) {
    const statement = await restore(db, table, key, true);
    if (statement === "" || statement === undefined) return statements;
    statements.push(statement);
    if (statements.length > 3) return statements;
    await db.execute(statement);
  }
}

test("foreign keys are found from both ends", async () => {
  const db = await chain();
  const first = {
    from_table: "public.ref_2",
    to_table: "public.ref_1",
    fkey_name: "ref_2_ref_fkey",
    fkey_def:
      "alter table only public.ref_2 add constraint ref_2_ref_fkey FOREIGN KEY (ref) REFERENCES ref_1(id)",
  };
  const second = {
    from_table: "public.ref_3",
    to_table: "public.ref_2",
    fkey_name: "ref_3_ref2_fkey",
    fkey_def:
      "alter table only public.ref_3 add constraint ref_3_ref2_fkey FOREIGN KEY (ref2) REFERENCES ref_2(id)",
  };
  deepEqual(await rowsOf(db, "londiste.find_table_fkeys", "public.ref_1"), [first]);
  deepEqual(await rowsOf(db, "londiste.find_table_fkeys", "ref_2"), [first, second]);
  deepEqual(await rowsOf(db, "londiste.find_table_fkeys", "public.ref_3"), [second]);
});

test("keys are dropped, wait for both tables, and come back at once or lazily", async () => {
  const db = await chain();
  equal(await drop(db, "ref_2", "ref_2_ref_fkey"), 1);
  equal(await drop(db, "ref_2", "ref_2_ref_fkey"), 0);
  deepEqual(await keyNames(db, "find_table_fkeys", "public.ref_2"), ["ref_3_ref2_fkey"]);
  equal(await drop(db, "ref_3", "ref_3_ref2_fkey"), 1);
  deepEqual(await keyNames(db, "get_table_pending_fkeys", "public.ref_2"), [
    "ref_2_ref_fkey",
    "ref_3_ref2_fkey",
  ]);
  deepEqual(await keyNames(db, "get_table_pending_fkeys", "public.ref_1"), ["ref_2_ref_fkey"]);

  const valid = (): Promise<unknown[]> => keyNames(db, "get_valid_pending_fkeys", "q");
  deepEqual(await valid(), []);
  await setOk(db, "ref_1");
  deepEqual(await valid(), []);
  await setOk(db, "ref_2", "1:2:");
  deepEqual(await valid(), [], "a snapshot delays restoration");
  await setOk(db, "ref_2");
  deepEqual(await valid(), ["ref_2_ref_fkey"]);
  await setOk(db, "ref_3");
  deepEqual(await valid(), ["ref_2_ref_fkey", "ref_3_ref2_fkey"]);

  equal(await restore(db, "ref_2", "ref_2_ref_fkey", false), "");
  deepEqual(await valid(), ["ref_3_ref2_fkey"]);
  deepEqual(await restoreLazily(db, "ref_3", "ref_3_ref2_fkey"), [
    "alter table only public.ref_3 add constraint ref_3_ref2_fkey FOREIGN KEY (ref2) REFERENCES ref_2(id) not valid",
    "alter table only public.ref_3 validate constraint ref_3_ref2_fkey",
  ]);
  deepEqual(await valid(), []);
  deepEqual(await keyNames(db, "find_table_fkeys", "public.ref_2"), ["ref_2_ref_fkey", "ref_3_ref2_fkey"]);
  equal(await restore(db, "ref_3", "ref_3_ref2_fkey", false), "");
});

test("a key that was not valid before comes back as it was", async () => {
  const db = await chain();
  await db.execute(`
    alter table ref_2 drop constraint ref_2_ref_fkey;
    set session_replication_role = replica;
    insert into ref_2 select i, i from generate_series(1, 3) i`);
  await db.execute("alter table ref_2 add constraint loose foreign key (ref) references ref_1 not valid");
  equal(await drop(db, "ref_2", "loose"), 1);
  match((await restoreLazily(db, "ref_2", "loose")).join("\n"), /^alter table only [^\n]* NOT VALID$/);
  deepEqual(await keyNames(db, "get_table_pending_fkeys", "public.ref_2"), []);
  equal(await db.queryValue("select convalidated from pg_constraint where conname = 'loose'"), false);
});

test("a key that is not enforced comes back as it was", async (context) => {
  const db = await chain();
  if (db.serverVersion < 180000) {
    context.skip("needs PostgreSQL 18");
    return;
  }
  await db.execute("alter table ref_2 add constraint lax foreign key (ref) references ref_1 not enforced");
  equal(await drop(db, "ref_2", "lax"), 1);
  match((await restoreLazily(db, "ref_2", "lax")).join("\n"), /^alter table only [^\n]* NOT ENFORCED$/);
  deepEqual(await keyNames(db, "get_table_pending_fkeys", "public.ref_2"), []);
});

test("a stale pending row or a key somebody made again does no harm", async () => {
  const db = await chain();
  await db.execute(
    "insert into londiste.pending_fkeys values ('public.ref_2', 'public.ref_9', 'ref_2_ref_fkey', 'stale')",
  );
  equal(await drop(db, "ref_2", "ref_2_ref_fkey"), 1);
  await db.execute("alter table ref_2 add constraint ref_2_ref_fkey foreign key (ref) references ref_1");
  equal(await restore(db, "ref_2", "ref_2_ref_fkey", false), "");
  deepEqual(await keyNames(db, "get_table_pending_fkeys", "public.ref_2"), []);
});

test("keys of partitioned tables go and come as one", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create table target (id int4 primary key) partition by range (id);
    create table target_1 partition of target for values from (1) to (100);
    create table source (id int4 primary key, ref int4 constraint link references target) partition by range (id);
    create table source_1 partition of source for values from (1) to (100);
    insert into target values (1);
    insert into source values (1, 1);`);
  deepEqual(await keyNames(db, "find_table_fkeys", "source"), ["link"]);
  deepEqual(await keyNames(db, "find_table_fkeys", "target"), ["link"]);
  deepEqual(await keyNames(db, "find_table_fkeys", "source_1"), []);
  deepEqual(await keyNames(db, "find_table_fkeys", "target_1"), []);
  equal(await drop(db, "source", "link"), 1);
  const statements = await restoreLazily(db, "source", "link");
  equal(statements.length, db.serverVersion < 180000 ? 1 : 2);
  deepEqual(await keyNames(db, "find_table_fkeys", "source"), ["link"]);
  deepEqual(await keyNames(db, "get_table_pending_fkeys", "public.source"), []);
  equal(
    await db.queryValue("select convalidated from pg_constraint where conname = 'link' and conparentid = 0"),
    true,
  );
});

/** Two leafs of each layout have both tables, registered by hand as local and in sync. */
async function mergeLayout(combined: "root" | "branch" | null): Promise<Database> {
  const { db } = await fixture.database();
  if (combined === "root") await createRoot(db, "combined");
  if (combined === "branch") await createSubscriber(db, "combined", "branch", 1n);
  await createSubscriber(db, "leaf1", "leaf", 1n, combined === null ? null : "combined");
  await createSubscriber(db, "leaf2", "leaf", 1n, combined === null ? null : "combined");
  for (const table of ["table1", "table2"]) {
    for (const queue of ["leaf1", "leaf2"]) await answer(db, "londiste.global_add_table", queue, table);
  }
  await db.execute(`
    insert into londiste.pending_fkeys values ('public.table1', 'public.table2', 'link', '');
    update londiste.table_info set local = true, merge_state = 'ok';`);
  return db;
}

async function responsible(db: Database): Promise<string[]> {
  const queues = await db.query<{ queue_name: string }>(
    `select n.queue_name from pgq_node.node_info n, londiste.get_valid_pending_fkeys(n.queue_name) f
      order by n.queue_name`,
  );
  return queues.map((one) => one.queue_name);
}

for (const [layout, whenAllOk, withoutLeaf1] of [
  ["root", "leaf1", "leaf2"],
  ["branch", "combined", "combined"],
  [null, "leaf1", "leaf2"],
] as const) {
  test(`exactly one queue restores a key, leafs with combined queue: ${layout}`, async () => {
    const db = await mergeLayout(layout);
    const change = (set: string, where: string): Promise<void> =>
      db.execute(`update londiste.table_info set ${set} where queue_name = 'leaf1' and ${where}`);
    deepEqual(await responsible(db), [whenAllOk]);
    await change("merge_state = 'catching-up'", "table_name = 'public.table1'");
    deepEqual(await responsible(db), []);
    await change("merge_state = null, local = false", "table_name = 'public.table1'");
    deepEqual(await responsible(db), [whenAllOk]);
    await change("merge_state = null, local = false", "true");
    deepEqual(await responsible(db), [withoutLeaf1]);
    equal((await keyNames(db, "get_table_pending_fkeys", "public.table2")).length, 1);
  });
}
