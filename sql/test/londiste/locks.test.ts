import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber, queueEvents, registerLocations } from "../pgq_node/node.ts";
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

for (const state of ["ok", "in-copy"]) {
  test(`a table with two sequences that is ${state} is removed from a leaf beside a batch that moves both`, async () => {
    const { db, another } = await fixture.database();
    await createSubscriber(db, "q", "leaf", 1n);
    await db.execute("create table t (id serial primary key, nr serial)");
    await answer(db, "londiste.global_add_table", "q", "t");
    await db.query("update londiste.table_info set local = true, merge_state = $1", [state]);
    for (const name of ["t_id_seq", "t_nr_seq"]) {
      await answer(db, "londiste.global_update_seq", "q", name, 1n);
      await answer(db, "londiste.local_add_seq", "q", name);
    }
    const [worker, command] = [await another({ autocommit: false }), await another()];
    await worker.query("select from pgq_node.local_state for update");
    await answer(worker, "londiste.global_update_seq", "q", "t_nr_seq", 10n);
    const removed = answer(command, "londiste.local_remove_table", "q", "t");
    await waitForWaiting(db, command);
    await answer(worker, "londiste.global_update_seq", "q", "t_id_seq", 10n);
    if (state === "ok") await worker.query("insert into t default values");
    await worker.commit();
    equal(await removed, '200 "Table removed: public.t"');
    equal(await db.queryValue("select count(*)::int4 from londiste.seq_info where local"), 0);
  });
}

for (const [name, ...args] of [
  ["londiste.local_remove_table", "q2", "t"],
  ["pgq_node.drop_node", "q2", "leaf"],
] as const) {
  test(`${name} hands on what a copy has dropped beside one who has all tables of the place copied anew`, async () => {
    const { db, another } = await fixture.database();
    await db.execute("create table t (id int4)");
    for (const queue of ["q1", "q2"]) {
      await createSubscriber(db, queue, "leaf", 1n);
      await answer(db, "londiste.global_add_table", queue, "t");
    }
    const ddl = "alter table public.t add primary key (id)";
    await db.query(
      `update londiste.table_info
          set local = true, merge_state = 'in-copy', dropped_ddl = case queue_name when 'q2' then $1 end`,
      [ddl],
    );
    const [program, remover] = [await another({ autocommit: false }), await another()];
    await program.query("select from londiste.table_info where queue_name = 'q1' for update");
    const removed = answer(remover, name, ...args);
    await waitForWaiting(db, remover);
    await program.query("select from londiste.table_info where queue_name = 'q2' for update");
    await program.commit();
    match(await removed, /^200 /);
    const left = "select dropped_ddl from londiste.table_info where queue_name = 'q1'";
    equal(await db.queryValue(left), ddl);
  });
}

test("a table is added to what a branch has become that is promoted just then", async () => {
  const { db, another } = await fixture.database();
  await createSubscriber(db, "q", "branch", 1n);
  await db.execute("create table t (id int4 primary key)");
  await answer(db, "londiste.global_add_table", "q", "t");
  const [takeover, command] = [await another({ autocommit: false }), await another()];
  await answer(takeover, "pgq_node.promote_branch", "q");
  let hasEnded = false;
  const added = answer(command, "londiste.local_add_table", "q", "t").finally(() => {
    hasEnded = true;
  });
  await waitForWaiting(db, command, () => hasEnded);
  await takeover.commit();
  equal(await added, '200 "Table added: public.t"');
  equal(await db.queryValue("select merge_state from londiste.table_info"), "ok");
  deepEqual(await queueEvents(db, "q"), [["londiste.add-table", "public.t"]]);
});

test("a table is added to what a root has become that is demoted just then", async () => {
  const { db, another } = await fixture.database();
  await createRoot(db, "q");
  await registerLocations(db, "q", "other");
  await db.execute("create table t (id int4 primary key)");
  await answer(db, "londiste.global_add_table", "q", "t");
  for (const step of [1, 2]) await answer(db, "pgq_node.demote_root", "q", step, "other");
  const [takeover, command] = [await another({ autocommit: false }), await another()];
  await answer(takeover, "pgq_node.demote_root", "q", 3, "other");
  const added = answer(command, "londiste.local_add_table", "q", "t");
  await waitForWaiting(db, command);
  await takeover.commit();
  equal(await added, '200 "Table added: public.t"');
  equal(await db.queryValue("select merge_state from londiste.table_info"), null);
});
