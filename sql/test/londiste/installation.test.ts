import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { moduleSql, uninstallSql } from "@skytools/sql";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot } from "../pgq_node/node.ts";
import { tableList, triggerIdentities, triggersOf } from "./replication.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

async function provider(): Promise<Database> {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute("create table t (id int4 primary key)");
  await answer(db, "londiste.local_add_table", "q", "t");
  return db;
}

test("the version selects the lazy restoration of foreign keys in old clients", async () => {
  const { db } = await fixture.database();
  const version = (await db.queryValue<string>("select londiste.version()")) ?? "";
  equal(/^\d+(\.\d+)+$/.test(version), true);
  equal(Number(version.split(".")[0]) >= 4, true);
});

test("installing again keeps registrations and triggers", async () => {
  const db = await provider();
  const before = await triggerIdentities(db, "t");
  await db.execute(await moduleSql("londiste"));
  deepEqual(await triggerIdentities(db, "t"), before);
  deepEqual((await tableList(db, "q")).length, 1);
  equal(await db.queryValue("select londiste.upgrade_schema()"), 0);
});

test("a schema of an early release is brought up to date", async () => {
  const db = await provider();
  await db.execute(`
    drop function londiste.get_table_list(text), londiste.find_table_fkeys(text), londiste.version();
    create function londiste.get_table_list(in i_queue_name text, out table_name text)
      returns setof text language sql as $$ select ''::text $$;
    create function londiste.find_table_fkeys(i_table_name text) returns setof londiste.applied_execute
      language sql as $$ select * from londiste.applied_execute $$;
    create function londiste.restore_table_fkey(a text, b text) returns int4 language sql as $$ select 1 $$;
    alter table londiste.table_info drop column dest_table, drop constraint table_info_check,
      add constraint table_info_check check (dropped_ddl is null or merge_state = 'in-copy');
    drop trigger table_info_trigger_sync on londiste.table_info;
    create trigger table_info_trigger_sync after delete on londiste.table_info
      for each row execute function londiste.table_info_trigger();
    alter table londiste.applied_execute drop column execute_attrs, drop constraint applied_execute_pkey,
      add constraint applied_execute_pkey primary key (queue_name, execute_file),
      add constraint applied_execute_queue_name_fkey foreign key (queue_name) references pgq_node.node_info;
    insert into londiste.applied_execute values ('q', 'f', now(), 'sql')`);
  await createRoot(db, "q2");
  await db.execute("insert into londiste.applied_execute values ('q2', 'f', now(), 'sql')");
  await db.execute(await moduleSql("londiste"));
  deepEqual(await tableList(db, "q"), [
    { table_name: "public.t", local: true, merge_state: "ok", copy_pos: 0 },
  ]);
  deepEqual(await db.query("select queue_name, execute_file, execute_attrs from londiste.applied_execute"), [
    { queue_name: "q2", execute_file: "f", execute_attrs: null },
  ]);
  equal(await db.queryValue("select to_regprocedure('londiste.restore_table_fkey(text,text)')"), null);
  await db.execute("update londiste.table_info set dropped_ddl = 'select 1', merge_state = 'catching-up'");
  await db.execute("delete from londiste.table_info");
  deepEqual(await triggersOf(db, "t"), []);
});

test("removing the module removes its triggers from the tables", async () => {
  const db = await provider();
  await db.execute((await uninstallSql("londiste")) ?? "");
  deepEqual(await triggersOf(db, "t"), []);
  equal(await db.queryValue("select to_regnamespace('londiste')"), null);
});
