import assert from "node:assert/strict";
import { chownSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { startCluster } from "@skytools/testbed";
import { Database, droppableObjects, foreignKeyObject, TableStructure, triggerObject } from "#src/index.js";

const cluster = await startCluster({ settings: { log_statement: "none" } });
const space = join(cluster.socketDir, "space");
mkdirSync(space);
const { uid, gid } = statSync(cluster.dataDirectory);
chownSync(space, uid, gid);
await cluster.query(`create tablespace "Fast Disk" location '${space}'`);
const db = await Database.open(cluster.connstr());
after(async () => {
  await db.close();
  await cluster[Symbol.asyncDispose]();
});

const run = async (statements: readonly string[]) => {
  for (const statement of statements) await db.execute(statement);
};

test("what is dropped comes back exactly: definitions, tablespaces, comments, marks and enable modes", async () => {
  await db.execute(`
    create schema "Odd.";
    create table parent(z int);
    create table "T x" (
      id int constraint "PK 1" primary key using index tablespace "Fast Disk",
      u int not null, v text, z int check (z > 0), r int4range,
      constraint uq unique (u, v) include (z) deferrable initially deferred,
      exclude using gist (r with &&),
      check (u > 0) no inherit
    );
    alter table "T x" inherit parent;
    create unique index "I x" on "T x" (u) tablespace "Fast Disk" where v <> 'it''s';
    create index on "T x" using hash (v);
    create index inc on "T x" (lower(v) collate "C" text_pattern_ops desc nulls last) include (z) with (fillfactor = 50);
    alter table "T x" cluster on inc;
    create unique index ident on "T x" (u);
    alter table "T x" replica identity using index ident;
    comment on index "I x" is 'it''s an index';
    comment on constraint uq on "T x" is 'back\\slash';
    create rule "R x" as on insert to "T x" where new.u = 1 do instead nothing;
    alter table "T x" enable always rule "R x";`);
  const before = await TableStructure.load(db, "T x");
  const objects = droppableObjects(before);
  assert.deepEqual(
    objects.map((object) => `${object.kind} ${object.name}`),
    [
      "constraint PK 1",
      "constraint T x_r_excl",
      "constraint T x_u_check",
      "constraint T x_z_check",
      "constraint uq",
      "index I x",
      "index T x_v_idx",
      "index ident",
      "index inc",
      "rule R x",
      "inheritance public.parent",
    ],
  );
  for (const object of objects.toReversed()) await run(object.drop);
  const bare = await TableStructure.load(db, "T x");
  assert.deepEqual([bare.constraints, bare.indexes, bare.rules, bare.parents], [[], [], [], []]);
  for (const object of objects) await run(object.create);
  const restored = await TableStructure.load(db, "T x");
  assert.deepEqual(factsOf(restored), factsOf(before));
  assert.equal(await db.queryValue("show default_tablespace"), "");
  await db.rollback();
});

/** Everything but the sizes. */
const factsOf = (table: TableStructure) => ({
  ...Object.fromEntries(Object.entries(table)),
  sizeBytes: 0n,
  indexes: table.indexes.map((index) => ({ ...index, sizeBytes: 0n })),
});

test("a partition keeps what belongs to its parent and drops what is its own", async () => {
  await db.execute(`
    create table whole(id int primary key, v int) partition by range (id);
    create index on whole (v);
    create table part partition of whole for values from (0) to (10);
    create index own on part (v, id);
    alter table part add constraint own_check check (v > 0);`);
  const objects = droppableObjects(await TableStructure.load(db, "part"));
  assert.deepEqual(
    objects.map((object) => object.name),
    ["own_check", "own"],
  );
  for (const object of objects.toReversed()) await run(object.drop);
  for (const object of objects) await run(object.create);
  assert.deepEqual(droppableObjects(await TableStructure.load(db, "part")), objects);
  await db.rollback();
});

test("foreign keys and triggers come back too", async () => {
  await db.execute(`
    create function f() returns trigger language plpgsql as 'begin return new; end';
    create table a(id int primary key);
    create table b(a int);
    alter table b add constraint "F k" foreign key (a) references a match full on update set null not valid;
    create trigger "Tr g" before update of a on b for each row when (old.a is distinct from new.a) execute function f('x');
    alter table b disable trigger "Tr g"`);
  const before = await TableStructure.load(db, "b");
  const objects = [
    ...before.foreignKeys.map(foreignKeyObject),
    ...before.triggers.map((item) => triggerObject(before, item)),
  ];
  assert.deepEqual(
    objects.map((object) => object.name),
    ["F k", "Tr g"],
  );
  for (const object of objects) await run(object.drop);
  assert.deepEqual((await TableStructure.load(db, "b")).foreignKeys, []);
  for (const object of objects) await run(object.create);
  assert.deepEqual(factsOf(await TableStructure.load(db, "b")), factsOf(before));
  await db.rollback();
});
