import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { moduleSql } from "@skytools/sql";
import { databaseFixture } from "../fixture.ts";
import {
  answer,
  createRoot,
  createSubscriber,
  queueEvents,
  registerLocations,
  row,
} from "../pgq_node/node.ts";

const fixture = databaseFixture([]);

test("a database owner who may create roles installs and runs everything without superuser", async (context) => {
  const { db, another } = await fixture.emptyDatabase();
  const database = (await db.queryValue<string>("select current_database()")) ?? "";
  await db.execute(`create role installer login createrole; alter database ${database} owner to installer`);
  await db.execute("grant create on schema public to installer");
  const installer = await another({ user: "installer" });
  for (const module of ["pgq", "pgq_node", "londiste", "londiste"] as const) {
    await installer.execute(await moduleSql(module));
  }
  equal(await db.queryValue("select pg_has_role('londiste_writer', 'pgq_admin', 'member')"), true);

  await createRoot(installer, "q");
  await installer.execute("create table t (id serial primary key, data text)");
  equal(await answer(installer, "londiste.local_add_table", "q", "t"), '200 "Table added: public.t"');
  await installer.execute("insert into t (data) values ('x')");
  equal((await queueEvents(installer, "q")).length, 2);

  await registerLocations(installer, "q", "other");
  for (const step of [1, 2, 3]) {
    equal((await row(installer, "pgq_node.demote_root", "q", step, "other")).ret_code, 200);
  }
  await rejects(installer.execute("insert into t (data) values ('x')"), /Insert into queue disallowed/);
  equal(await answer(installer, "pgq_node.promote_branch", "q"), '200 "Branch node promoted to root"');
  await installer.execute("insert into t (data) values ('x')");

  await createSubscriber(installer, "leafq", "leaf", 1n);
  await rejects(
    installer.query("select londiste.set_session_replication_role('replica', false)"),
    /permission denied to set parameter "session_replication_role"/,
  );
  if (db.serverVersion < 150000) context.diagnostic("grant set on parameter left out: needs PostgreSQL 15");
  else {
    await db.execute("grant set on parameter session_replication_role to installer");
    await installer.query("select londiste.set_session_replication_role('replica', false)");
    equal(await installer.queryValue("select current_setting('session_replication_role')"), "replica");
  }
  equal(await answer(installer, "pgq_node.drop_node", "q", "root"), '200 "Node dropped: root"');
  deepEqual(await installer.query("select * from londiste.table_info"), []);
});
