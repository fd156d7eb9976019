import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture, type Session } from "../fixture.ts";
import { answer, createRoot, createSubscriber, rowsOf } from "../pgq_node/node.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

const everybody = [
  "find_column_types",
  "find_table_fkeys",
  "find_rel_oid",
  "find_table_oid",
  "find_seq_oid",
  "is_replica_func",
  "quote_fqname",
  "make_fqname",
  "split_fqname",
  "version",
];
const readers = ["get_seq_list", "get_table_list", "_coordinate_copy", "get_copy_progress"];
const maintainers = ["periodic_maintenance", "root_check_seqs", "_publish_seqs"];

test("each function may be called by exactly the roles it is meant for", async () => {
  const { db } = await fixture.database();
  const rows = await db.query<{ name: string; grantees: string[] }>(
    `select p.proname as name, array(
              select case a.grantee when 0 then 'public' else a.grantee::regrole::text end
                from aclexplode(p.proacl) a where a.grantee <> p.proowner order by 1) as grantees
       from pg_proc p where p.pronamespace = 'londiste'::regnamespace`,
  );
  for (const { name, grantees } of rows) {
    const expected = everybody.includes(name)
      ? ["public"]
      : readers.includes(name)
        ? ["londiste_reader", "londiste_writer"]
        : maintainers.includes(name)
          ? ["londiste_writer", "pgq_admin"]
          : ["londiste_writer"];
    deepEqual(grantees, expected, name);
  }
  const names = rows.map(({ name }) => name);
  deepEqual(
    [...everybody, ...readers, ...maintainers].filter((name) => !names.includes(name)),
    [],
  );
});

test("tables are readable by everybody and changed by administrators", async () => {
  const { db } = await fixture.database();
  await db.execute("create role grants_nobody login");
  for (const table of ["table_info", "seq_info", "applied_execute", "pending_fkeys", "copy_progress"]) {
    deepEqual(
      await db.queryOne(
        `select has_table_privilege('grants_nobody', $1, 'select') as reads,
                has_table_privilege('grants_nobody', $1, 'insert, update, delete, truncate') as changes,
                has_table_privilege('londiste_reader', $1, 'insert, update, delete, truncate') as reader_changes,
                has_table_privilege('londiste_writer', $1, 'update') as writer_changes`,
        [`londiste.${table}`],
      ),
      { reads: true, changes: false, reader_changes: false, writer_changes: true },
    );
  }
});

let userCount = 0;

/** A session of a new user with one of the roles, who may create tables. */
async function userWith(role: string, { db, another }: Session): Promise<Database> {
  userCount += 1;
  const user = `grants_${userCount}`;
  await db.execute(`create role ${user} login in role ${role}; grant create on schema public to ${user}`);
  return another({ user });
}

test("a writer that owns the tables can do all the work of a provider, without superuser", async () => {
  const session = await fixture.database();
  const { db } = session;
  await createRoot(db, "q");
  const writer = await userWith("londiste_writer", session);
  await writer.execute("create table t (id serial primary key, data text)");
  equal(await answer(writer, "londiste.local_add_table", "q", "t"), '200 "Table added: public.t"');
  equal(
    await answer(writer, "londiste.local_add_seq", "q", "t_id_seq"),
    '200 "Sequence added: public.t_id_seq"',
  );
  await writer.execute("insert into t (data) values ('x'); truncate t");
  equal(await db.queryValue("select count(*)::int4 from pgq.event_1"), 4);
  equal(
    await answer(writer, "londiste.local_change_handler", "q", "public.t", ["tgflags=L"], null),
    '200 "Handler changed for table: public.t"',
  );
  equal(await answer(writer, "londiste.execute_start", "q", "f", "select 1", true), '200 "Executing: f"');
  equal(await answer(writer, "londiste.execute_finish", "q", "f"), '200 "Execute finished: f"');
  equal(await answer(writer, "londiste.local_remove_table", "q", "t"), '200 "Table removed: public.t"');
  equal(await writer.queryValue("select londiste.create_partition('t', 't_1', null, null, null, null)"), 1);
});

test("a writer that owns the tables can do all the work of a subscriber, without superuser", async () => {
  const session = await fixture.database();
  const { db } = session;
  await createSubscriber(db, "q", "leaf", 1n);
  const writer = await userWith("londiste_writer", session);
  await writer.execute(`
    create table t (id int4 primary key); create table u (id int4 primary key references t); create sequence s;
    select londiste.set_session_replication_role('replica', false)`);
  for (const table of ["t", "u"]) {
    await answer(writer, "londiste.global_add_table", "q", table);
    equal(await answer(writer, "londiste.local_add_table", "q", table), `200 "Table added: public.${table}"`);
  }
  equal(await writer.queryValue("select londiste.drop_table_fkey('public.u', 'u_id_fkey')"), 1);
  await answer(writer, "londiste.local_copy_start", "q", "t", "me", "provider", 1n, 1n);
  for (const table of ["t", "u"])
    await answer(writer, "londiste.local_set_table_state", "q", table, null, "ok");
  equal((await rowsOf(writer, "londiste.get_valid_pending_fkeys", "q")).length, 1);
  equal(await writer.queryValue("select londiste.restore_table_fkey('public.u', 'u_id_fkey')"), "");
  equal(await answer(writer, "londiste.global_update_seq", "q", "s", 7n), '200 "Sequence updated"');
  equal(await answer(writer, "londiste.local_add_seq", "q", "s"), '200 "Sequence added: public.s"');
  equal(await answer(writer, "londiste.global_remove_table", "q", "u"), '200 "Table removed: u"');
});

test("a writer cannot touch other people's tables, a reader cannot change anything", async () => {
  const session = await fixture.database();
  const { db } = session;
  await createRoot(db, "q");
  await db.execute("create table foreign_table (id int4 primary key)");
  const writer = await userWith("londiste_writer", session);
  await rejects(
    answer(writer, "londiste.local_add_table", "q", "foreign_table"),
    /permission denied|must be owner/,
  );
  const reader = await userWith("londiste_reader", session);
  deepEqual(await rowsOf(reader, "londiste.get_table_list", "q"), []);
  deepEqual(await rowsOf(reader, "londiste.get_copy_progress", "q"), []);
  await rejects(answer(reader, "londiste.local_add_seq", "q", "s"), /permission denied for function/);
  await rejects(reader.query("delete from londiste.table_info"), /permission denied/);
  await rejects(
    reader.query("select londiste.set_session_replication_role('replica', false)"),
    /permission denied for function/,
  );
});
