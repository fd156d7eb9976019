import { equal } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber } from "../pgq_node/node.ts";
import { waitForWaiting } from "../waiting.ts";

/* As in pgq/locks.test.ts: a program goes on to what the other one has by then, if the order of its locks is not the program's. */

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

const captured = "select local_add_table from londiste.local_add_table('q', 't')";

for (const [what, prepare] of Object.entries({
  "whose triggers go": captured,
  "that gets its indexes back":
    "update londiste.table_info set local = true, merge_state = 'in-copy', dropped_ddl = 'alter table public.t add primary key (id)'",
})) {
  test(`a table ${what} is removed behind its copy, which can still tell how far it is and move on the state`, async () => {
    const { db, another } = await fixture.database();
    await createSubscriber(db, "q", "branch", 1n);
    await db.execute("create table t (id int4 primary key)");
    await answer(db, "londiste.global_add_table", "q", "t");
    await db.execute(prepare);
    if (prepare !== captured) await db.execute("alter table t drop constraint t_pkey");
    await db.query(
      "insert into londiste.copy_progress (queue_name, table_name, phase) values ('q', 'public.t', 'copying')",
    );
    const [copy, progress, remover] = [
      await another({ autocommit: false }),
      await another(),
      await another(),
    ];
    await copy.query("lock table t in access exclusive mode");
    const removed = answer(remover, "londiste.local_remove_table", "q", "t");
    await waitForWaiting(db, remover);
    await progress.execute("set lock_timeout = '5s'");
    equal(
      await answer(progress, "londiste.local_copy_progress", "q", "t", "finishing", 1n, 1n),
      '100 "Copy progress stored: public.t"',
    );
    await copy.query("select from londiste.table_info for update");
    await copy.commit();
    equal(await removed, '200 "Table removed: public.t"');
    equal(await db.queryValue("select count(*)::int4 from londiste.copy_progress"), 0);
  });
}

test("a root's sequences are added and removed beside a look at all of them", async () => {
  const { db, another } = await fixture.database();
  await createRoot(db, "q");
  await db.execute("create sequence a; create sequence b");
  await answer(db, "londiste.local_add_seq", "q", "a");
  await db.query("select setval('a', 30000)");
  const [command, worker] = [await another({ autocommit: false }), await another()];
  await answer(command, "londiste.local_remove_seq", "q", "a");
  const checked = answer(worker, "londiste.root_check_seqs", "q");
  await waitForWaiting(db, worker);
  equal(await answer(command, "londiste.local_add_seq", "q", "b"), '200 "Sequence added: public.b"');
  await command.commit();
  equal(await checked, '100 "Sequences updated"');
});

test("a table with two sequences is removed from a root beside a look at all of them", async () => {
  const { db, another } = await fixture.database();
  await createRoot(db, "q");
  await db.execute("create table t (id serial primary key, nr serial)");
  await answer(db, "londiste.local_add_table", "q", "t");
  for (const name of ["t_nr_seq", "t_id_seq"]) {
    await answer(db, "londiste.local_add_seq", "q", name);
    await db.query("select setval($1, 30000)", [name]);
  }
  const [program, worker, command] = [await another({ autocommit: false }), await another(), await another()];
  // holds the worker up between the two
  await program.query("select from londiste.seq_info where seq_name = 'public.t_id_seq' for update");
  const checked = answer(worker, "londiste.root_check_seqs", "q");
  await waitForWaiting(db, worker);
  const removed = answer(command, "londiste.local_remove_table", "q", "t");
  await waitForWaiting(db, command);
  await program.commit();
  equal(await checked, '100 "Sequences updated"');
  equal(await removed, '200 "Table removed: public.t"');
});

test("a table that the set of a root knows is added beside the last tick of a demotion", async () => {
  const { db, another } = await fixture.database();
  await createRoot(db, "q");
  await db.execute("create table t (id serial primary key)");
  await answer(db, "londiste.global_add_table", "q", "t");
  const [command, demotion] = [await another({ autocommit: false }), await another()];
  equal(await answer(command, "londiste.local_add_table", "q", "t"), '200 "Table added: public.t"');
  await db.execute("update pgq.queue set queue_disable_insert = true, queue_external_ticker = true");
  const demoted = answer(demotion, "pgq_node.demote_root", "q", 2, null);
  await waitForWaiting(db, demotion);
  await command.query("select from pgq_node.node_info for update");
  await command.commit();
  equal(await demoted, '200 "Step 2: Inserted last tick: q"');
});
