import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber, rowsOf } from "../pgq_node/node.ts";
import { pairs, tableList, triggersOf } from "./replication.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

async function subscriber(type: "branch" | "leaf"): Promise<Database> {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", type, 100n);
  await db.execute("create table data (id int4 primary key, txt text)");
  return db;
}

for (const type of ["branch", "leaf"] as const) {
  test(`a ${type} learns of tables, adds and removes them`, async () => {
    const db = await subscriber(type);
    deepEqual(await rowsOf(db, "londiste.local_show_missing", "q"), []);
    equal(
      await answer(db, "londiste.local_add_table", "q", "data"),
      '404 "Table not available on queue: public.data"',
    );
    equal(
      await answer(db, "londiste.global_add_table", "q", "public.data"),
      '200 "Table added: public.data"',
    );
    equal(
      await answer(db, "londiste.global_add_table", "q", "data"),
      '200 "Table already added: public.data"',
    );
    equal(await answer(db, "londiste.local_add_table", "q", "data"), '200 "Table added: public.data"');
    equal(await answer(db, "londiste.global_add_table", "q", "tmp"), '200 "Table added: tmp"');
    deepEqual(await tableList(db, "q"), [
      { table_name: "public.data", local: true, copy_pos: 0 },
      { table_name: "public.tmp", copy_pos: 0 },
    ]);
    equal(
      await answer(db, "londiste.local_set_table_state", "q", "public.data", null, "in-copy"),
      `200 "Table public.data state set to 'in-copy'"`,
    );
    deepEqual((await tableList(db, "q"))[0], {
      table_name: "public.data",
      local: true,
      merge_state: "in-copy",
      copy_pos: 0,
    });
    equal(
      await answer(db, "londiste.global_remove_table", "q", "public.tmp"),
      '200 "Table removed: public.tmp"',
    );
    equal(await answer(db, "londiste.global_remove_table", "q", "tmp"), '400 "Table not found: public.tmp"');
    equal(await answer(db, "londiste.local_remove_table", "q", "data"), '200 "Table removed: public.data"');
    equal(
      await answer(db, "londiste.local_remove_table", "q", "data"),
      '400 "Table not registered locally: public.data"',
    );
    deepEqual(await tableList(db, "q"), [{ table_name: "public.data", copy_pos: 0 }]);
    deepEqual(pairs(await rowsOf(db, "londiste.local_show_missing", "q")), ["r public.data"]);
    deepEqual(await triggersOf(db, "data"), []);
  });
}

test("a leaf refuses changes, except from replication and scripts", async () => {
  const db = await subscriber("leaf");
  await answer(db, "londiste.global_add_table", "q", "data");
  await answer(db, "londiste.local_add_table", "q", "data");
  deepEqual(await triggersOf(db, "data"), [
    "_londiste_q pgq.logutriga(q,deny)",
    "_londiste_q_truncate pgq.sqltriga(q,deny)",
  ]);
  const insert = "insert into data values (1, 'x')";
  await rejects(db.execute(insert), /Table 'public.data' to queue 'q': change not allowed \(INSERT\)/);
  await rejects(db.execute("truncate data"), /change not allowed \(TRUNCATE\)/);
  for (const role of ["replica", "local"]) {
    await db.execute(
      `select londiste.set_session_replication_role('${role}', false); ${insert}; truncate data`,
    );
  }
});

test("a branch refuses changes because its queue takes no events", async () => {
  const db = await subscriber("branch");
  await answer(db, "londiste.global_add_table", "q", "data");
  await answer(db, "londiste.local_add_table", "q", "data");
  await rejects(db.execute("insert into data values (1, 'x')"), /Insert into queue disallowed/);
});

test("state, attributes and structure are stored for local tables", async () => {
  const db = await subscriber("leaf");
  await answer(db, "londiste.global_add_table", "q", "data");
  const state = (...args: readonly unknown[]): Promise<string> =>
    answer(db, "londiste.local_set_table_state", "q", ...args);
  equal(await state("data", null, "ok"), '404 "No such table: public.data"');
  equal(
    await answer(db, "londiste.local_set_table_attrs", "q", "public.data", "x"),
    '404 "no such local table: public.data"',
  );
  await answer(db, "londiste.local_add_table", "q", "data", ["expect_sync"]);
  equal((await tableList(db, "q"))[0]?.merge_state, "ok");
  equal(await state("data", null, null), '200 "Table public.data state set to NULL"');
  equal(await state("data", "1:2:", "in-copy"), `200 "Table public.data state set to 'in-copy'"`);
  equal(
    await answer(db, "londiste.local_set_table_attrs", "q", "public.data", "copy_node=x"),
    '200 "public.data: Table attributes stored"',
  );
  const struct = (table: string, ddl: string | null): Promise<string> =>
    answer(db, "londiste.local_set_table_struct", "q", table, ddl);
  equal(await struct("data", "ddl"), '404 "no such local table: data"');
  equal(await struct("public.data", "ddl"), '200 "Table struct stored"');
  await rejects(state("data", null, "ok"), /table_info_check/);
  deepEqual(await tableList(db, "q"), [
    {
      table_name: "public.data",
      local: true,
      merge_state: "in-copy",
      custom_snapshot: "1:2:",
      table_attrs: "copy_node=x",
      dropped_ddl: "ddl",
      copy_pos: 0,
    },
  ]);
  equal(await struct("public.data", null), '200 "Table struct stored"');
  equal(await state("data", null, "ok"), `200 "Table public.data state set to 'ok'"`);
});

test("a root in the same database is no rival source of a leaf's table", async () => {
  const db = await subscriber("leaf");
  await createRoot(db, "next");
  await answer(db, "londiste.local_add_table", "next", "data");
  await answer(db, "londiste.global_add_table", "q", "data");
  equal(await answer(db, "londiste.local_add_table", "q", "data"), '200 "Table added: public.data"');
});

test("the replication role is switched for the session or the transaction", async () => {
  const { db, another } = await fixture.database();
  await db.execute("create role role_worker login in role londiste_writer");
  const worker = await another({ user: "role_worker", autocommit: false });
  const role = (): Promise<unknown> =>
    worker.queryValue("select current_setting('session_replication_role')");
  await worker.query("select londiste.set_session_replication_role('replica', false)");
  await worker.commit();
  equal(await role(), "replica");
  await worker.query("select londiste.set_session_replication_role('local', true)");
  equal(await role(), "local");
  await worker.commit();
  equal(await role(), "replica");
  await rejects(
    worker.query("select londiste.set_session_replication_role('superuser', true)"),
    /bad value for session_replication_role/,
  );
});

test("a table that leaves the set while it is added is told as lost, here and in another queue", async () => {
  const { db, another } = await fixture.database();
  for (const queue of ["q", "q2"]) {
    await createSubscriber(db, queue, "leaf", 100n);
    await answer(db, "londiste.global_add_table", queue, "data");
  }
  await db.execute("create table data (id int4 primary key)");
  const remover = await another({ autocommit: false });
  const whileGoing = async (queue: string, note: RegExp) => {
    await answer(remover, "londiste.global_remove_table", queue, "data");
    const adding = answer(db, "londiste.local_add_table", "q", "data", ["merge_all"]);
    const refused = rejects(adding, note);
    await waitFor("the addition to wait", async () => {
      const watch = await another();
      return (await watch.query("select from pg_locks where not granted")).length > 0;
    });
    await remover.commit();
    await refused;
  };
  await whileGoing("q2", /lost table: public\.data on queue q2/);
  await whileGoing("q", /lost table: public\.data/);
});
