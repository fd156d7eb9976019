import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startCluster } from "@skytools/testbed";
import { Database, TableStructure } from "#src/index.js";

const cluster = await startCluster({ settings: { log_statement: "none" } });
const db = await Database.open(cluster.connstr());
after(async () => {
  await db.close();
  await cluster[Symbol.asyncDispose]();
});

await db.execute(`
  create schema "Odd Schema";
  create role reader;
  create type "Odd Schema".mood as enum ('good', 'bad');
  create table parent(shared int check (shared > 0));
  create table customer(id int primary key);
  create function log_change() returns trigger language plpgsql as 'begin return null; end';
  create table "Odd Schema"."Table.1" (
    id bigserial,
    sub int not null,
    name varchar(20) collate "C" default 'it''s' not null,
    price numeric(10, 2),
    moods "Odd Schema".mood[] default '{good}',
    twice numeric generated always as (price * 2) stored,
    seq int generated always as identity,
    dropped int,
    blob text compression pglz,
    customer int constraint to_customer references customer on delete cascade deferrable,
    "Quoted" int,
    constraint pk primary key (sub, id),
    unique (name) deferrable initially deferred,
    exclude using btree (price with =)
  ) inherits (parent) with (fillfactor = 80);
  alter table "Odd Schema"."Table.1" drop column dropped, add constraint positive check (price > 0) not valid;
  alter table "Odd Schema"."Table.1" alter name set statistics 500, alter blob set storage external;
  create index by_name on "Odd Schema"."Table.1" (lower(name) desc, price) where price > 5;
  comment on table "Odd Schema"."Table.1" is 'the table';
  comment on column "Odd Schema"."Table.1".price is 'in euro';
  comment on index "Odd Schema".by_name is 'for search';
  create trigger logged after insert or update on "Odd Schema"."Table.1" for each row execute function log_change('a');
  create trigger emptied before truncate on "Odd Schema"."Table.1" execute function log_change();
  alter table "Odd Schema"."Table.1" enable replica trigger logged;
  create rule keep as on delete to "Odd Schema"."Table.1" do instead nothing;
  create table line(id int references line, odd_sub int, odd_id bigint,
                    constraint to_odd foreign key (odd_sub, odd_id) references "Odd Schema"."Table.1" (sub, id),
                    primary key (id));
  grant select on "Odd Schema"."Table.1" to reader with grant option;
  grant update (price) on "Odd Schema"."Table.1" to public;
  alter table "Odd Schema"."Table.1" replica identity full;
`);
await db.commit();

const odd = await TableStructure.load(db, "Odd Schema.Table.1");
await db.commit();

test("columns in order, with types, defaults, identity, generation, collation and storage", () => {
  assert.deepEqual(
    odd.columns.map((column) => column.name),
    ["shared", "id", "sub", "name", "price", "moods", "twice", "seq", "blob", "customer", "Quoted"],
  );
  const facts = (name: string) => odd.column(name) ?? assert.fail(name);
  assert.equal(facts("name").type, "character varying(20)");
  assert.equal(facts("name").default, "'it''s'::character varying");
  assert.equal(facts("name").collation, 'pg_catalog."C"');
  assert.equal(facts("name").notNull, true);
  assert.equal(facts("name").statistics, 500);
  assert.equal(facts("price").type, "numeric(10,2)");
  assert.equal(facts("price").comment, "in euro");
  assert.equal(facts("price").notNull, false);
  assert.equal(facts("moods").type, '"Odd Schema".mood[]');
  assert.equal(facts("moods").default, `'{good}'::"Odd Schema".mood[]`);
  assert.equal(facts("twice").generated, "(price * (2)::numeric)");
  assert.equal(facts("twice").generatedKind, "stored");
  assert.equal(facts("twice").default, undefined);
  assert.equal(facts("seq").identity, "always");
  assert.equal(facts("id").default, `nextval('"Odd Schema"."Table.1_id_seq"'::regclass)`);
  assert.equal(facts("blob").storage, "external");
  assert.equal(facts("blob").compression, "pglz");
  assert.equal(facts("shared").isInherited, true);
  assert.equal(facts("id").number, 2);
  assert.equal(facts("blob").number, 10);
  assert.deepEqual(
    odd.columns.filter((column) => !odd.copyColumns.includes(column)).map((column) => column.name),
    ["twice"],
  );
});

test("the primary key in key order, constraints with their definitions", () => {
  assert.deepEqual(odd.primaryKey, ["sub", "id"]);
  assert.deepEqual(
    odd.constraints.map(({ name, kind, definition, isInherited }) => [name, kind, definition, isInherited]),
    [
      ["pk", "primary key", "PRIMARY KEY (sub, id)", false],
      ["Table.1_name_key", "unique", "UNIQUE (name) DEFERRABLE INITIALLY DEFERRED", false],
      ["Table.1_price_excl", "exclusion", "EXCLUDE USING btree (price WITH =)", false],
      ["parent_shared_check", "check", "CHECK ((shared > 0))", true],
      ["positive", "check", "CHECK ((price > (0)::numeric)) NOT VALID", false],
    ],
  );
});

test("indexes with qualified definitions and the constraint they serve", () => {
  const [byName] = odd.indexes.filter((index) => index.name === "by_name");
  assert.equal(
    byName?.definition,
    'CREATE INDEX by_name ON "Odd Schema"."Table.1" USING btree (lower((name)::text) DESC, price) WHERE (price > (5)::numeric)',
  );
  assert.equal(byName.body, byName.definition.slice(byName.definition.indexOf("USING")));
  assert.equal(byName.isPartial, true);
  assert.equal(byName.isUnique, false);
  assert.equal(byName.comment, "for search");
  assert.deepEqual(byName.columns, ["lower(name::text)", "price"]);
  assert.deepEqual(
    odd.indexes.map((index) => [index.name, index.constraint]),
    [
      ["Table.1_name_key", "Table.1_name_key"],
      ["Table.1_price_excl", "Table.1_price_excl"],
      ["by_name", undefined],
      ["pk", "pk"],
    ],
  );
});

test("foreign keys in both directions, a self reference in both lists", async () => {
  assert.deepEqual(odd.foreignKeys, [
    {
      name: "to_customer",
      from: "Odd Schema.Table.1",
      to: "public.customer",
      fromColumns: ["customer"],
      toColumns: ["id"],
      definition: "FOREIGN KEY (customer) REFERENCES public.customer(id) ON DELETE CASCADE DEFERRABLE",
      isValidated: true,
      isInherited: false,
      comment: undefined,
    },
  ]);
  assert.deepEqual(
    odd.referencingKeys.map((key) => [key.name, key.from, key.fromColumns, key.toColumns]),
    [["to_odd", "public.line", ["odd_sub", "odd_id"], ["sub", "id"]]],
  );
  const line = await TableStructure.load(db, "line");
  assert.deepEqual(
    line.foreignKeys.map((key) => key.name),
    ["line_id_fkey", "to_odd"],
  );
  assert.deepEqual(
    line.referencingKeys.map((key) => key.name),
    ["line_id_fkey"],
  );
});

test("triggers, rules, owned sequences, grants, parents and the table's own facts", async () => {
  const [emptied, logged] = odd.triggers;
  assert.equal(emptied?.timing, "before");
  assert.deepEqual(emptied.events, ["truncate"]);
  assert.equal(emptied.isRow, false);
  assert.equal(logged?.enabled, "replica");
  assert.deepEqual(logged.events, ["insert", "update"]);
  assert.equal(logged.function, "public.log_change");
  assert.match(
    logged.definition,
    /^CREATE TRIGGER logged AFTER INSERT OR UPDATE ON "Odd Schema"\."Table\.1" FOR EACH ROW/,
  );
  assert.match(
    odd.rules[0]?.definition ?? "",
    /^CREATE RULE keep AS\s+ON DELETE TO "Odd Schema"\."Table\.1" DO INSTEAD NOTHING;$/,
  );
  const bounds = (type: string, max: string) =>
    `as ${type} increment by 1 minvalue 1 maxvalue ${max} start with 1 cache 1`;
  assert.deepEqual(odd.ownedSequences, [
    {
      name: "Odd Schema.Table.1_id_seq",
      column: "id",
      isIdentity: false,
      settings: bounds("bigint", "9223372036854775807"),
    },
    {
      name: "Odd Schema.Table.1_seq_seq",
      column: "seq",
      isIdentity: true,
      settings: bounds("integer", "2147483647"),
    },
  ]);
  assert.ok(
    odd.grants.some(
      (grant) => grant.grantee === "reader" && grant.privilege === "select" && grant.isGrantable,
    ),
  );
  assert.deepEqual(
    odd.grants.filter((grant) => grant.grantee === undefined),
    [{ grantee: undefined, privilege: "update", isGrantable: false, column: "price" }],
  );
  assert.deepEqual(odd.parents, ["public.parent"]);
  assert.deepEqual((await TableStructure.load(db, "parent")).children, ["Odd Schema.Table.1"]);
  assert.equal(odd.quotedName, '"Odd Schema"."Table.1"');
  assert.equal(odd.kind, "table");
  assert.equal(odd.persistence, "permanent");
  assert.equal(odd.owner, "postgres");
  assert.deepEqual(odd.options, ["fillfactor=80"]);
  assert.equal(odd.comment, "the table");
  assert.equal(odd.replicaIdentity, "full");
});

test("partitioned tables, their partitions and views", async () => {
  await db.execute(`
    create table measured(at date, value int, primary key (at)) partition by range (at);
    create table measured_2024 partition of measured for values from ('2024-01-01') to ('2025-01-01');
    create view seen as select * from measured;
    create unlogged table fast(id int);`);
  const measured = await TableStructure.load(db, "measured");
  assert.equal(measured.kind, "partitioned table");
  assert.equal(measured.indexes[0]?.body, "USING btree (at)");
  assert.equal(measured.partitionKey, "RANGE (at)");
  assert.deepEqual(measured.children, ["public.measured_2024"]);
  assert.deepEqual(measured.primaryKey, ["at"]);
  const partition = await TableStructure.load(db, "measured_2024");
  assert.equal(partition.isPartition, true);
  assert.equal(partition.partitionBound, "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')");
  assert.equal(partition.constraints[0]?.isInherited, true);
  assert.equal(partition.indexes[0]?.isInherited, true);
  assert.equal((await TableStructure.load(db, "seen")).kind, "view");
  assert.equal((await TableStructure.load(db, "fast")).persistence, "unlogged");
  await db.rollback();
});

test("a missing table is told apart; bare names mean schema public", async () => {
  assert.equal(await TableStructure.find(db, "nothing"), undefined);
  await assert.rejects(TableStructure.load(db, "nothing"), (error: Error & { code?: string }) => {
    assert.equal(error.code, "TABLE_NOT_FOUND");
    assert.equal(error.message, `table not found: public.nothing (${db.label})`);
    return true;
  });
  await db.execute('set local search_path = "Odd Schema"');
  assert.equal(await TableStructure.find(db, "Table.1"), undefined);
  await db.rollback();
});

test("search_path is as before, inside a transaction, after it and in autocommit", async () => {
  const path = () => db.queryValue("select current_setting('search_path')");
  await db.execute("set search_path = public, pg_temp");
  await db.commit();
  await db.execute("set local search_path = pg_catalog");
  await TableStructure.load(db, "customer");
  assert.equal(await path(), "pg_catalog");
  await db.commit();
  assert.equal(await path(), "public, pg_temp");
  await db.commit();
  await using auto = await Database.open(cluster.connstr(), { autocommit: true });
  const own = await auto.queryValue("select current_setting('search_path')");
  assert.equal(
    (await TableStructure.load(auto, "Odd Schema.Table.1")).foreignKeys[0]?.definition,
    odd.foreignKeys[0]?.definition,
  );
  assert.equal(await auto.queryValue("select current_setting('search_path')"), own);
  assert.equal(auto.inTransaction, false);
  await auto.transaction(() => TableStructure.load(auto, "customer"));
});

test("a role without any right on the table can read its structure", async () => {
  await db.execute('create role nobody_here login; revoke all on schema "Odd Schema" from public');
  await db.commit();
  await using stranger = await Database.open(cluster.connstr("postgres", { user: "nobody_here" }));
  const seen = await TableStructure.load(stranger, "Odd Schema.Table.1");
  assert.deepEqual(seen.columns, odd.columns);
  assert.deepEqual(seen.constraints, odd.constraints);
});
