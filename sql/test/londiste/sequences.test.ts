import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber, queueEvents, rowsOf } from "../pgq_node/node.ts";
import { pairs } from "./replication.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

test("a root publishes its sequences ahead of their use", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute('create sequence master; create sequence "S.2"');
  equal(
    await answer(db, "londiste.local_add_seq", "q", "nowhere"),
    '400 "Sequence not found: public.nowhere"',
  );
  equal(await answer(db, "londiste.local_add_seq", "q", "master"), '200 "Sequence added: public.master"');
  equal(
    await answer(db, "londiste.local_add_seq", "q", "public.master"),
    '201 "Sequence already added: public.master"',
  );
  equal(await answer(db, "londiste.local_add_seq", "q", "public.S.2"), '200 "Sequence added: public.S.2"');
  equal(await answer(db, "londiste.root_check_seqs", "q"), '100 "Sequences updated"');
  await db.query("select setval('master', 20000)");
  await answer(db, "londiste.root_check_seqs", "q");
  await db.query("select setval('master', 20001)");
  await answer(db, "londiste.root_check_seqs", "q", 9n);
  deepEqual(await rowsOf(db, "londiste.get_seq_list", "q"), [
    { seq_name: "public.master", last_value: 50001n, local: true },
    { seq_name: "public.S.2", last_value: 30001n, local: true },
  ]);
  await answer(db, "londiste.root_check_seqs", "q", 30000n);
  deepEqual(await queueEvents(db, "q"), [
    ["londiste.update-seq", "30001", "public.master"],
    ["londiste.update-seq", "30001", "public.S.2"],
    ["londiste.update-seq", "50001", "public.master"],
    ["londiste.update-seq", "110001", "public.master"],
    ["londiste.update-seq", "90001", "public.S.2"],
  ]);
});

test("a sequence that begins below zero is published too", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute("create sequence s minvalue -2147483648 start -2147483648");
  await answer(db, "londiste.local_add_seq", "q", "s");
  await db.query("select setval('s', -5000)");
  equal(await answer(db, "londiste.root_check_seqs", "q"), '100 "Sequences updated"');
  deepEqual((await queueEvents(db, "q")).at(-1), ["londiste.update-seq", "25000", "public.s"]);
});

test("a sequence far below zero is published when it is added, and not again before it has moved", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute(
    "create sequence s minvalue -5000000000 start -5000000000; create sequence t minvalue -30000",
  );
  await db.query("select setval('t', -30000)");
  for (const name of ["s", "t"]) await answer(db, "londiste.local_add_seq", "q", name);
  await answer(db, "londiste.root_check_seqs", "q");
  deepEqual(await queueEvents(db, "q"), [["londiste.update-seq", "-4999970000", "public.s"]]);
  await db.query("select setval('s', -4999980000), setval('t', -29999)");
  for (let look = 0; look < 2; look += 1) await answer(db, "londiste.root_check_seqs", "q");
  deepEqual((await queueEvents(db, "q")).slice(1), [
    ["londiste.update-seq", "-4999950000", "public.s"],
    ["londiste.update-seq", "1", "public.t"],
  ]);
});

test("a sequence near its end is published half of the way that is left, not beyond it", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute("create sequence short as smallint");
  await answer(db, "londiste.local_add_seq", "q", "short");
  await db.query("select setval('short', 32765)");
  await answer(db, "londiste.root_check_seqs", "q");
  await answer(db, "londiste.root_check_seqs", "q");
  deepEqual(await queueEvents(db, "q"), [
    ["londiste.update-seq", "16384", "public.short"],
    ["londiste.update-seq", "32766", "public.short"],
  ]);
});

test("a root removes a sequence from the set", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute("create sequence master");
  await answer(db, "londiste.local_add_seq", "q", "master");
  equal(
    await answer(db, "londiste.local_remove_seq", "q", "master"),
    '200 "Sequence removed: public.master"',
  );
  equal(
    await answer(db, "londiste.local_remove_seq", "q", "master"),
    '400 "Sequence not found: public.master"',
  );
  deepEqual(await rowsOf(db, "londiste.get_seq_list", "q"), []);
  deepEqual(await queueEvents(db, "q"), [
    ["londiste.update-seq", "30001", "public.master"],
    ["londiste.remove-seq", "public.master"],
  ]);
});

test("other nodes follow published values, forward only", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "branch", 1n);
  await db.execute("create sequence master");
  const update = (value: bigint): Promise<string> =>
    answer(db, "londiste.global_update_seq", "q", "master", value);
  const value = (): Promise<unknown> => db.queryValue("select last_value from master");
  equal(await answer(db, "londiste.local_add_seq", "q", "master"), '404 "Unknown sequence: public.master"');
  equal(await update(5n), '200 "Sequence updated"');
  deepEqual(pairs(await rowsOf(db, "londiste.local_show_missing", "q")), ["S public.master"]);
  equal(await value(), 1n);
  equal(await answer(db, "londiste.local_add_seq", "q", "master"), '200 "Sequence added: public.master"');
  equal(
    await answer(db, "londiste.local_add_seq", "q", "master"),
    '201 "Sequence already added: public.master"',
  );
  equal(await value(), 5n);
  await update(60000n);
  await update(6n);
  equal(await value(), 60000n);
  deepEqual(await rowsOf(db, "londiste.get_seq_list", "q"), [
    { seq_name: "public.master", last_value: 6n, local: true },
  ]);
  equal(await answer(db, "londiste.root_check_seqs", "q"), '402 "Not a root node"');
  equal(
    await answer(db, "londiste.local_remove_seq", "q", "master"),
    '200 "Sequence removed: public.master"',
  );
  equal(
    await answer(db, "londiste.local_remove_seq", "q", "master"),
    '404 "Sequence not found: public.master"',
  );
  equal(
    await answer(db, "londiste.global_remove_seq", "q", "master"),
    '200 "Sequence removed: public.master"',
  );
  equal(
    await answer(db, "londiste.global_remove_seq", "q", "master"),
    '400 "Sequence not found: public.master"',
  );
});

test("wrong nodes are answered", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  equal(await answer(db, "londiste.root_check_seqs", "zq"), '404 "Queue not found: zq"');
  equal(await answer(db, "londiste.global_update_seq", "q", "s", 1n), '402 "Must not run on root node"');
  equal(await answer(db, "londiste.global_update_seq", "zq", "s", 1n), '404 "Set not found: zq"');
});

test("a sequence that somebody dropped does not stop the others", async () => {
  const { db, another } = await fixture.database();
  await createRoot(db, "q");
  await db.execute("create sequence gone; create sequence here");
  for (const seq of ["gone", "here"]) await answer(db, "londiste.local_add_seq", "q", seq);
  await db.execute("drop sequence gone; select setval('here', 25000)");
  const warnings: string[] = [];
  const session = await another({ onNotice: ({ message }) => warnings.push(message) });
  equal(await answer(session, "londiste.root_check_seqs", "q"), '100 "Sequences updated"');
  deepEqual(warnings, ["sequence public.gone of queue q does not exist"]);
  deepEqual((await queueEvents(db, "q")).at(-1), ["londiste.update-seq", "55000", "public.here"]);
});

test("sequences that were not used yet stand where they were set, however many there are", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute(`do $$ begin
    for nr in 1..300 loop
      execute format('create sequence %I', 'S.' || nr);
      perform londiste.local_add_seq('q', 'public.S.' || nr);
    end loop;
  end $$`);
  await db.execute(
    `select setval('"S.7"', 50000, false); alter sequence "S.200" restart with 60000; select nextval('"S.9"')`,
  );
  equal(await answer(db, "londiste.root_check_seqs", "q"), '100 "Sequences updated"');
  deepEqual((await queueEvents(db, "q")).slice(300), [
    ["londiste.update-seq", "80000", "public.S.7"],
    ["londiste.update-seq", "90000", "public.S.200"],
  ]);
});

test("a removed table takes its serial and identity sequences along, whatever their type", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute(`
    create table "My T" (id serial primary key, "Small" smallserial, big int8 generated always as identity);
    create sequence other owned by none;`);
  const sequences = ["My T_id_seq", "My T_Small_seq", "My T_big_seq"];
  await answer(db, "londiste.local_add_table", "q", "renamed", [], null, "My T");
  for (const seq of [...sequences, "other"]) {
    equal(await answer(db, "londiste.local_add_seq", "q", seq), `200 "Sequence added: public.${seq}"`);
  }
  equal(
    await answer(db, "londiste.local_remove_table", "q", "renamed"),
    '200 "Table removed: public.renamed"',
  );
  deepEqual(
    (await rowsOf(db, "londiste.get_seq_list", "q")).map((one) => one.seq_name),
    ["public.other"],
  );
  deepEqual((await queueEvents(db, "q")).slice(-4), [
    ...sequences.map((seq) => ["londiste.remove-seq", `public.${seq}`]),
    ["londiste.remove-table", "public.renamed"],
  ]);
});
