import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Database, type DatabaseOptions } from "@skytools/skytools";
import { moduleSql } from "@skytools/sql";
import { startCluster } from "@skytools/testbed";
import { triggersOf } from "../londiste/replication.ts";
import { answer, createRoot, createSubscriber, row, rowsOf } from "../pgq_node/node.ts";
import { originalPgqBinDir, withoutOriginalPgq } from "./original-pgq.ts";

/** A session in a database with the original extensions: a root, a branch with a table and a foreign key that waits. */
async function originalDatabase(
  cluster: Awaited<ReturnType<typeof startCluster>>,
  name: string,
): Promise<Database> {
  const options: DatabaseOptions = { autocommit: true };
  const db = await Database.open(await cluster.createDatabase(name), options);
  await db.execute("create extension pgq; create extension pgq_node; create extension londiste");
  await createRoot(db, "rootq");
  await createSubscriber(db, "branchq", "branch", 5n);
  await db.execute(`
    create table t (id serial primary key, data text);
    create table u (id int4 primary key, ref int4 constraint link references t);
    create table moved (id int4 primary key)`);
  equal(await answer(db, "londiste.local_add_table", "rootq", "t"), '200 "Table added: public.t"');
  equal(
    await answer(db, "londiste.local_add_seq", "rootq", "t_id_seq"),
    '200 "Sequence added: public.t_id_seq"',
  );
  for (const table of ["t", "u"]) {
    await answer(db, "londiste.global_add_table", "branchq", table);
    await answer(db, "londiste.local_add_table", "branchq", table, ["no_triggers"]);
  }
  await db.query("select londiste.drop_table_fkey('public.u', 'link')");
  return db;
}

const queueState = async (db: Database): Promise<unknown[]> => [
  await row(db, "pgq_node.get_node_info", "rootq"),
  await row(db, "pgq_node.get_node_info", "branchq"),
  await rowsOf(db, "pgq_node.get_queue_locations", "branchq"),
  await rowsOf(db, "londiste.get_table_list", "rootq"),
  await rowsOf(db, "londiste.get_table_list", "branchq"),
  await rowsOf(db, "londiste.get_seq_list", "rootq"),
  await rowsOf(db, "londiste.get_table_pending_fkeys", "public.u"),
];

for (const withPgq of [true, false]) {
  const what = withPgq ? "all modules" : "nodes and londiste, on the original PgQ";
  test(`installing over the original extensions keeps everything: ${what}`, {
    skip: withoutOriginalPgq,
  }, async () => {
    await using cluster = await startCluster({ binDir: originalPgqBinDir() ?? "" });
    await using db = await originalDatabase(cluster, "originals");
    const before = await queueState(db);
    for (const module of withPgq
      ? (["pgq", "pgq_node", "londiste"] as const)
      : (["pgq_node", "londiste"] as const)) {
      await db.execute(await moduleSql(module));
    }
    deepEqual(await queueState(db), before);

    await db.execute("insert into t (data) values ('x'); truncate t cascade");
    const captured = await db.query(
      "select ev_type, ev_extra1 from pgq.event_1 where ev_extra1 = 'public.t' order by ev_id",
    );
    deepEqual(
      captured,
      ["I:id", "R"].map((type) => ({ ev_type: type, ev_extra1: "public.t" })),
    );
    equal(
      await answer(db, "londiste.local_change_handler", "rootq", "public.t", ["tgflags=L"], null),
      '200 "Handler changed for table: public.t"',
    );
    deepEqual(await triggersOf(db, "t"), [
      "_londiste_rootq pgq.logutriga(rootq)",
      "_londiste_rootq_truncate pgq.sqltriga(rootq)",
    ]);
    equal(await answer(db, "londiste.local_add_table", "rootq", "moved"), '200 "Table added: public.moved"');
    const [first] = await triggersOf(db, "moved");
    equal(
      first,
      withPgq
        ? "_londiste_rootq pgq.capture_json(rootq,ev_extra1='public.moved')"
        : "_londiste_rootq pgq.logutriga(rootq)",
    );
    equal(await answer(db, "londiste.local_remove_table", "rootq", "t"), '200 "Table removed: public.t"');
    deepEqual(await triggersOf(db, "t"), []);
    equal(await answer(db, "pgq_node.drop_node", "branchq", "branch"), '200 "Node dropped: branch"');
    equal(await answer(db, "pgq_node.drop_node", "rootq", "root"), '200 "Node dropped: root"');
    deepEqual(await triggersOf(db, "moved"), []);
  });
}
