import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startCluster } from "@skytools/testbed";
import {
  allParts,
  createTableSql,
  Database,
  dropTableSql,
  freshIndexNames,
  SequenceStructure,
  SkytoolsError,
  type TablePart,
  TableStructure,
} from "#src/index.js";
import { withTable } from "#src/structure/definition-split.js";

const cluster = await startCluster({ settings: { log_statement: "none" } });
const db = await Database.open(cluster.connstr());
const other = await Database.open(await cluster.createDatabase("other"));
after(async () => {
  await db.close();
  await other.close();
  await cluster[Symbol.asyncDispose]();
});

await cluster.query(`create role "The Owner"; create role reader`);
const surroundings = `
  create schema "S x"; create schema elsewhere;
  create type mood as enum ('good', 'bad');
  create table parent(shared int check (shared > 0));
  create table customer(id int primary key);
  create function note() returns trigger language plpgsql as 'begin return null; end'`;
await db.execute(surroundings);
await other.execute(surroundings);
await other.commit();
await db.execute(`
  create table "S x"."T.1 ON ""x""" (
    id serial primary key,
    shared int constraint parent_shared_check check (shared > 0),
    "ON x" int constraint "up ON" references "S x"."T.1 ON ""x""" deferrable,
    customer int constraint to_customer references customer on delete set null,
    moods mood[] default '{good}',
    price numeric(10, 2),
    twice numeric generated always as (price * 2) stored,
    seq bigint generated always as identity (sequence name "S x"."My seq" start 5 increment 3),
    blob text,
    unique (customer, price)
  ) with (fillfactor = 80, toast.autovacuum_enabled = false);
  alter table "S x"."T.1 ON ""x""" add constraint positive check (price > 0) not valid, alter price set (n_distinct = -0.5), alter blob set storage external,
    alter blob set statistics 77, inherit parent, replica identity full, enable row level security,
    force row level security;
  create index i on "S x"."T.1 ON ""x""" (price) where price > 5;
  create statistics "S x".st (dependencies, mcv) on customer, price from "S x"."T.1 ON ""x""";
  alter statistics "S x".st set statistics 50;
  create trigger "a ON ""S x""" after insert or update of "ON x", price on "S x"."T.1 ON ""x""" for each row
    when (new.price > 3) execute function note('a ON b');
  create trigger emptied after truncate on "S x"."T.1 ON ""x""" execute function note();
  alter table "S x"."T.1 ON ""x""" enable always trigger emptied;
  create constraint trigger late after delete on "S x"."T.1 ON ""x""" deferrable initially deferred
    for each row execute function note();
  create rule "r TO ""x""" as on delete to "S x"."T.1 ON ""x""" where old.price = 1 do instead nothing;
  alter table "S x"."T.1 ON ""x""" enable replica rule "r TO ""x""";
  create policy mine on "S x"."T.1 ON ""x""" as restrictive for update to reader, "The Owner"
    using (customer = 1) with check (price > 2);
  create policy all_see on "S x"."T.1 ON ""x""" for select using (true);
  grant select, insert on "S x"."T.1 ON ""x""" to reader with grant option;
  grant update (price) on "S x"."T.1 ON ""x""" to public;
  comment on table "S x"."T.1 ON ""x""" is 'the ''table''';
  comment on column "S x"."T.1 ON ""x""".price is 'euro';
  comment on constraint to_customer on "S x"."T.1 ON ""x""" is 'fk';
  comment on trigger late on "S x"."T.1 ON ""x""" is 'trigger';
  comment on rule "r TO ""x""" on "S x"."T.1 ON ""x""" is 'rule';
  comment on policy mine on "S x"."T.1 ON ""x""" is 'policy';
  comment on statistics "S x".st is 'statistics';
  alter table "S x"."T.1 ON ""x""" owner to "The Owner"`);
await db.commit();
const original = await TableStructure.load(db, 'S x.T.1 ON "x"');
await db.commit();

async function run(session: Database, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await session.execute(statement);
}

/** What a copy must share with its original: all but what the catalog numbers, measures and names by itself. */
function comparable(table: TableStructure, original: TableStructure = table) {
  const renamed = (text: string) => text.replaceAll(table.quotedName, original.quotedName);
  const {
    oid: _oid,
    sizeBytes: _size,
    estimatedRows: _rows,
    name: _name,
    quotedName: _quoted,
    ...rest
  } = table;
  return {
    ...rest,
    columns: table.columns.map((column) => ({ ...column, typeOid: 0, isInherited: false })),
    indexes: table.indexes.map((index) => ({ ...index, definition: "", sizeBytes: 0n })),
    foreignKeys: table.foreignKeys.map((key) => ({
      ...key,
      from: "",
      to: key.to === key.from ? "itself" : key.to,
      definition: renamed(key.definition),
    })),
    referencingKeys: [],
    triggers: table.triggers.map((trigger) => ({ ...trigger, definition: renamed(trigger.definition) })),
    rules: table.rules.map((rule) => ({ ...rule, definition: renamed(rule.definition) })),
    constraints: table.constraints.map((item) => ({ ...item, isInherited: false })),
  };
}

test("everything of a table comes out again in another database", async () => {
  await run(other, createTableSql(original, { parts: allParts, serverVersion: other.serverVersion }));
  assert.deepEqual(comparable(await TableStructure.load(other, original.name)), comparable(original));
  await other.rollback();
});

test("everything under another name beside the original, which keeps its sequence", async () => {
  const indexNames = await freshIndexNames(db, original, "S x");
  const name = "S x.second";
  await run(
    db,
    createTableSql(original, { name, parts: allParts, indexNames, serverVersion: db.serverVersion }),
  );
  const made = await TableStructure.load(db, name);
  const names = (table: TableStructure) =>
    table.indexes.map((index) => indexNames.get(index.name) ?? index.name);
  assert.deepEqual(names(made).sort(), names(original).sort());
  const { indexes: _indexes, statistics, constraints, ownedSequences, ...copy } = comparable(made, original);
  const {
    indexes: _i,
    statistics: _s,
    constraints: _c,
    ownedSequences: _o,
    ...wanted
  } = comparable(original);
  assert.deepEqual(copy, wanted);
  assert.deepEqual(
    statistics.map((item) => item.name),
    ["S x.st_1"],
  );
  assert.deepEqual(
    constraints.map((item) => item.definition),
    original.constraints.map((item) => item.definition),
  );
  assert.deepEqual(
    ownedSequences.map((item) => item.isIdentity),
    [true],
  );
  const again = await TableStructure.load(db, original.name);
  assert.deepEqual(again.ownedSequences, original.ownedSequences);
  await run(db, dropTableSql(original, { name, parts: ["table"] }));
  assert.equal(await TableStructure.find(db, name), undefined);
  await db.rollback();
});

test("parts are dropped from a table and come back one by one", async () => {
  const parts: readonly TablePart[] = allParts.filter(
    (part) =>
      ![
        "table",
        "generated",
        "storage",
        "tablespaces",
        "partitioning",
        "owner",
        "identity",
        "comments",
      ].includes(part),
  );
  await run(db, dropTableSql(original, { parts }));
  const bare = await TableStructure.load(db, original.name);
  const left = { ...comparable(bare) };
  assert.deepEqual(
    [
      left.constraints,
      left.indexes,
      left.triggers,
      left.rules,
      left.policies,
      left.statistics,
      left.foreignKeys,
      left.parents,
    ],
    [[], [], [], [], [], [], [], []],
  );
  assert.equal(bare.hasRowSecurity || bare.forcesRowSecurity, false);
  assert.ok(bare.columns.every((column) => column.default === undefined));
  assert.deepEqual(
    bare.grants.filter((grant) => grant.grantee !== "The Owner"),
    [],
  );
  const { comment: _comment, ...options } = { comment: 0, parts: [...parts, "comments" as const] };
  await run(db, createTableSql(original, { ...options, serverVersion: db.serverVersion }));
  const { grants: _g, ...again } = comparable(await TableStructure.load(db, original.name));
  const { grants: _grants, ...wanted } = comparable(original);
  assert.deepEqual(again, wanted);
  await db.rollback();
});

test("identity is dropped and added", async () => {
  await run(db, dropTableSql(original, { parts: ["identity"] }));
  assert.equal((await TableStructure.load(db, original.name)).column("seq")?.identity, undefined);
  await run(db, createTableSql(original, { parts: ["identity"] }));
  assert.deepEqual((await TableStructure.load(db, original.name)).ownedSequences, original.ownedSequences);
  await db.rollback();
});

test("a partitioned table and its partitions", async () => {
  await db.execute(`
    create table measured(id int, at date not null, primary key (id, at)) partition by range (at);
    create index on measured (at);
    create table m1 partition of measured for values from ('2020-01-01') to ('2021-01-01');
    create table m2 partition of measured default`);
  const tables: TableStructure[] = [];
  for (const name of ["measured", "m1", "m2"]) tables.push(await TableStructure.load(db, name));
  for (const table of tables)
    await run(other, createTableSql(table, { parts: allParts, serverVersion: other.serverVersion }));
  for (const table of tables) {
    const made = await TableStructure.load(other, table.name);
    assert.deepEqual(comparable(made), comparable(table));
  }
  await run(other, dropTableSql(tables[1]!, { parts: ["inheritance"] }));
  assert.deepEqual((await TableStructure.load(other, "measured")).children, ["public.m2"]);
  await db.rollback();
  await other.rollback();
});

test("an older release gets neither MAINTAIN nor virtual columns", async () => {
  const table = Object.assign(Object.create(TableStructure.prototype) as TableStructure, original, {
    grants: [{ grantee: "reader", privilege: "maintain", isGrantable: false, column: undefined }],
    columns: original.columns.map((column) => ({
      ...column,
      generatedKind: column.generatedKind && "virtual",
    })),
  });
  const script = (serverVersion: number) =>
    createTableSql(table, { parts: allParts, serverVersion }).join("\n");
  assert.match(script(180000), /\) virtual,[\s\S]*grant maintain on/);
  assert.match(script(160000), /\) stored,/);
  assert.doesNotMatch(script(160000), /maintain|virtual/);
});

test("a definition of another form is refused, not guessed at", () => {
  assert.equal(
    withTable('CREATE TRIGGER "x ON s.t" AFTER INSERT ON s.t FOR', " ON ", "s.t", "a.b"),
    'CREATE TRIGGER "x ON s.t" AFTER INSERT ON a.b FOR',
  );
  for (const text of [
    "CREATE TRIGGER x AFTER INSERT",
    "CREATE TRIGGER x AFTER INSERT ON s.u FOR",
    'CREATE "x ON s.t',
  ]) {
    assert.throws(() => withTable(text, " ON ", "s.t", "a.b"), SkytoolsError);
  }
});

test("a sequence goes on where the original stands, downwards too", async () => {
  await db.execute(`
    create sequence up as smallint increment 5 start 10 cache 3 cycle;
    create sequence down increment -2 minvalue -100 maxvalue 50 start 50;
    create sequence used maxvalue 2;
    grant usage on sequence up to reader;
    select nextval('up'), nextval('down'), nextval('down'), nextval('used'), nextval('used')`);
  const load = (name: string) => SequenceStructure.load(db, name);
  await run(other, (await load("up")).createSql());
  await run(other, (await load("down")).createSql({ name: "S x.Down", parts: ["sequence"] }));
  const up = await SequenceStructure.load(other, "up");
  assert.deepEqual([up.next, up.type, up.cache, up.isCycling], [25n, "smallint", 3n, true]);
  assert.deepEqual(
    up.grants.filter((grant) => grant.grantee === "reader"),
    [{ grantee: "reader", privilege: "usage", isGrantable: false, column: undefined }],
  );
  const down = await SequenceStructure.load(other, "S x.Down");
  assert.deepEqual([down.next, down.increment, down.min, down.max], [46n, -2n, -100n, 50n]);
  const used = await load("used");
  assert.throws(() => used.createSql(), { code: "SEQUENCE_EXHAUSTED" });
  await assert.rejects(load("nothing"), { code: "SEQUENCE_NOT_FOUND" });
  await db.rollback();
  await other.rollback();
});
