import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture, type Session } from "../fixture.ts";
import { answer, createRoot, createSubscriber, rowsOf } from "../pgq_node/node.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

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
