import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, rowsOf } from "../pgq_node/node.ts";
import { pairs } from "./replication.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

test("a root is missing what it has and does not replicate, in order of kind and name", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute(`
    create schema s;
    create table s.t1 (id int4 primary key);
    create table "B" (id int4 primary key);
    create table a (id int4 primary key);
    create sequence seq1; create sequence seq2;
    create temporary table temp (id int4);
    create view v as select 1`);
  const missing = async (): Promise<string[]> => pairs(await rowsOf(db, "londiste.local_show_missing", "q"));
  deepEqual(await missing(), ["S public.seq1", "S public.seq2", "r public.B", "r public.a", "r s.t1"]);
  await answer(db, "londiste.local_add_seq", "q", "seq1");
  await answer(db, "londiste.local_add_table", "q", "set name", [], null, "B");
  equal(await answer(db, "londiste.local_add_table", "q", "s.t1"), '200 "Table added: s.t1"');
  deepEqual(await missing(), ["S public.seq2", "r public.a"]);
  await rejects(db.query("select londiste.local_show_missing('zq')"), /queue does not exist: zq/);
});

test("a partitioned table stands for its partitions until one of them is added by itself", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await db.execute(`
    create table p (id int4 primary key) partition by range (id);
    create table p1 partition of p for values from (1) to (10);
    create table p2 partition of p for values from (10) to (20) partition by range (id);
    create table p2a partition of p2 for values from (10) to (15);
    create table p2b partition of p2 for values from (15) to (20)`);
  const missing = async (): Promise<string[]> => pairs(await rowsOf(db, "londiste.local_show_missing", "q"));
  deepEqual(await missing(), ["r public.p"]);
  await answer(db, "londiste.local_add_table", "q", "p");
  deepEqual(await missing(), []);
  await answer(db, "londiste.local_remove_table", "q", "p");
  await answer(db, "londiste.local_add_table", "q", "p1");
  deepEqual(await missing(), ["r public.p2"]);
  await answer(db, "londiste.local_add_table", "q", "p2a");
  deepEqual(await missing(), ["r public.p2b"]);
});
