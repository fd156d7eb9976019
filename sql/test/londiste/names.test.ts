import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

test("names are raw: the first dot separates, schema public is the default", async () => {
  const { db } = await fixture.database();
  const names = await db.query(
    `select n, londiste.make_fqname(n) as fq, londiste.quote_fqname(n) as quoted, s.schema_part, s.name_part
       from unnest(array['a.b.c', 'A', 'x y.Z"q', '.x', null]) n, londiste.split_fqname(n) s`,
  );
  deepEqual(names, [
    { n: "a.b.c", fq: "a.b.c", quoted: 'a."b.c"', schema_part: "a", name_part: "b.c" },
    { n: "A", fq: "public.A", quoted: 'public."A"', schema_part: "public", name_part: "A" },
    {
      n: 'x y.Z"q',
      fq: 'x y.Z"q',
      quoted: '"x y"."Z""q"',
      schema_part: "x y",
      name_part: 'Z"q',
    },
    { n: ".x", fq: ".x", quoted: '"".x', schema_part: "", name_part: "x" },
    { n: null, fq: null, quoted: null, schema_part: null, name_part: null },
  ]);
});

test("relations are found by exact name and kind", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create schema "S 1";
    create table "S 1"."T.1" (id int4 primary key);
    create table parted (id int4) partition by range (id);
    create sequence seq;
    create view view as select 1;`);
  const found = await db.queryOne(
    `select londiste.find_table_oid('S 1.T.1')::regclass::text as "table",
            londiste.find_table_oid('parted')::regclass::text as parted,
            londiste.find_table_oid('s 1.t.1') as folded,
            londiste.find_table_oid('view') as view,
            londiste.find_table_oid('seq') as seq_as_table,
            londiste.find_seq_oid('public.seq')::regclass::text as seq,
            londiste.find_seq_oid('parted') as table_as_seq,
            londiste.find_rel_oid('view', 'v')::regclass::text as rel`,
  );
  deepEqual(found, {
    table: '"S 1"."T.1"',
    parted: "parted",
    folded: null,
    view: null,
    seq_as_table: null,
    seq: "seq",
    table_as_seq: null,
    rel: "view",
  });
});

test("key columns are those of the primary key, wherever they stand, without included ones", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create table t (a int4, gone int4, b int4, c int4, d int4);
    alter table t drop column gone;
    alter table t add primary key (d, b) include (c);
    create table keyless (a int4);`);
  equal(await db.queryValue("select londiste.find_column_types('t')"), "vkvk");
  equal(await db.queryValue("select londiste.find_column_types('keyless')"), "v");
  equal(await db.queryValue("select londiste.find_column_types('nowhere')"), "");
});
