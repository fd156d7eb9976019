import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { NodeSet, type SetNode } from "../fixture/node-set.js";

let set: NodeSet;
let root: SetNode;
let branch: SetNode;
let leaf: SetNode;

before(async () => {
  set = await NodeSet.start();
  set.startTicker();
  root = await set.add("root", {
    type: "root",
    setup: `
      create schema app;
      create role reader_of_tables; create role only_on_root;
      create function public.only_on_root() returns trigger language plpgsql as $$ begin return null; end $$;
      create function public.stamp() returns trigger language plpgsql as $$ begin return new; end $$;
      create table app.orders (id bigserial primary key, "Total" numeric(8,2) not null default 0.5, code text unique,
        ident int generated always as identity, doubled numeric generated always as ("Total" * 2) stored,
        check ("Total" >= 0));
      create index on app.orders ("Total") where "Total" > 1;
      create trigger stamp before update on app.orders for each row execute function public.stamp();
      create trigger stamp_late after insert on app.orders for each row when (new."Total" > 5) execute function public.stamp();
      alter table app.orders disable trigger stamp_late;
      create trigger elsewhere after insert on app.orders for each statement execute function public.only_on_root();
      create rule also as on delete to app.orders do also notify orders_gone;
      create rule instead as on update to app.orders where new.code = 'no' do instead
        update app.orders set code = null where id = old.id and code = 'never';
      alter table app.orders enable row level security, disable rule also;
      create policy cheap on app.orders for select to reader_of_tables using ("Total" < 50);
      create policy writers on app.orders as restrictive to only_on_root using (true) with check (code <> '');
      create statistics app.total_code on "Total", code from app.orders;
      comment on column app.orders."Total" is 'net';
      grant select on app.orders to reader_of_tables;
      create table plain (id serial primary key, v text default 'x');
      create table more (id int primary key, v text);
      create table late (id int primary key, v text)`,
  });
  root.startWorker();
  branch = await set.add("branch", { type: "branch", provider: root });
  branch.startWorker();
  leaf = await set.add("leaf", { type: "leaf", provider: branch });
  leaf.startWorker();
  await root.query(
    `insert into app.orders ("Total", code) select g, 'c' || g from generate_series(1, 20) g;
     insert into plain (v) select 'v' || g from generate_series(1, 30) g;
     insert into late select g from generate_series(1, 40) g`,
  );
  await root.londiste("add-table", "app.orders", "plain", "more", "late");
  await set.settle(root, branch, leaf);
});

after(async () => {
  await set[Symbol.asyncDispose]();
});

const columns = (node: SetNode, table: string) =>
  node.query(
    `select attname, format_type(atttypid, atttypmod) as type, attnotnull, attidentity::text, attgenerated::text,
            pg_get_expr(adbin, adrelid) as expression
       from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attrelid = $1::regclass and attnum > 0 order by attnum`,
    [table],
  );

/** What names other objects, as the server writes it, with one name for the table. */
async function belongings(node: SetNode, table: string): Promise<readonly string[]> {
  const rows = await node.query<{ line: string }>(
    `with t as (select $1::regclass as oid)
     select regexp_replace(line, '(app\\.)?orders(_copy)?(_1)?', 'TABLE', 'g') as line from (
       select regexp_replace(pg_get_indexdef(indexrelid, 0, true), 'INDEX .* ON', 'INDEX ON') as line from pg_index, t where indrelid = t.oid
       union all select 'constraint ' || pg_get_constraintdef(c.oid) from pg_constraint c, t where conrelid = t.oid and contype in ('p', 'u', 'c')
       union all select pg_get_triggerdef(g.oid) || ' ' || tgenabled::text from pg_trigger g, t
                  where tgrelid = t.oid and tgname !~ '^_londiste|^elsewhere' and not tgisinternal
       union all select pg_get_ruledef(r.oid) || ' ' || ev_enabled::text from pg_rewrite r, t where ev_class = t.oid and rulename <> 'instead'
       union all select 'row security ' || relrowsecurity || ' ' || relforcerowsecurity || ' ' || relacl::text from pg_class c, t where c.oid = t.oid
       union all select concat_ws(' ', 'policy', polname, polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid),
                                  pg_get_expr(polwithcheck, polrelid)) from pg_policy, t where polrelid = t.oid
       union all select 'statistics ' || stxkeys::text || stxkind::text from pg_statistic_ext, t where stxrelid = t.oid
       union all select 'comment ' || description from pg_description, t where objoid = t.oid
     ) as lines order by 1`,
    [table],
  );
  assert.ok(rows.length > 10);
  return rows.map((row) => row.line);
}

test("--create-full makes the table as it is on the provider, with everything but foreign keys", async () => {
  await branch.query(
    "create function public.stamp() returns trigger language plpgsql as 'begin return new; end'",
  );
  const added = await branch.londiste("add-table", "app.orders", "--create-full", "--wait-sync");
  assert.match(added.stderr, /Creating app\.orders/);
  assert.deepEqual(await columns(branch, "app.orders"), await columns(root, "app.orders"));
  assert.match(
    added.stderr,
    /trigger elsewhere of app\.orders left out: no function public\.only_on_root here/,
  );
  assert.deepEqual(await belongings(branch, "app.orders"), await belongings(root, "app.orders"));
  await root.query(`insert into app.orders ("Total", code) values (100, 'new')`);
  await set.settle(root, branch);
  assert.match((await branch.londiste("compare", "app.orders")).stdout, /identical: 21 rows/);
});

test("sequences of serial and identity columns come along, ahead of the values in use", async () => {
  const listed = JSON.parse((await branch.londiste("seqs", "--json")).stdout) as {
    name: string;
    isLocal: boolean;
  }[];
  assert.deepEqual(
    listed.filter((sequence) => sequence.isLocal).map((sequence) => sequence.name),
    ["app.orders_id_seq", "app.orders_ident_seq"],
  );
  const [value] = await branch.query<{ last_value: bigint }>("select last_value from app.orders_ident_seq");
  assert.ok(value !== undefined && value.last_value >= 20n);
});

test("--create makes columns and key only, and says what it would do with --dry-run", async () => {
  const dry = await branch.londiste("add-table", "plain", "--create", "--dry-run");
  assert.match(dry.stdout, /create table public\.plain \(\n {2}id integer not null,\n {2}v text\n\);\n/);
  assert.deepEqual(await branch.query("select to_regclass('plain') as found"), [{ found: null }]);
  await branch.londiste("add-table", "plain", "--create", "--wait-sync");
  assert.equal((await branch.query("select from plain")).length, 30);
  const again = await branch.londiste("add-table", "plain", "--create");
  assert.match(again.stderr, /public\.plain already processed/);
});

test("--dest-table: another local table takes the rows, created with free index names", async () => {
  await leaf.query("create table plain (id int primary key, mine text)");
  await leaf.londiste("add-table", "plain", "--dest-table=public.plain_copy", "--create", "--wait-sync");
  assert.equal((await leaf.query("select from plain_copy")).length, 30);
  await root.query("insert into plain (v) values ('more'); truncate more");
  await set.settle(root, branch, leaf);
  assert.equal((await leaf.query("select from plain_copy")).length, 31);
  assert.match((await leaf.londiste("compare", "plain")).stdout, /identical: 31 rows/);
});

test("two tables of a set in one local table: the copy of the second leaves the rows of the first; a generated column is told of", async () => {
  const part = "(id int primary key, v int, g int generated always as (v * 2) stored)";
  await root.query(`create table part_a ${part}; create table part_b ${part};
    insert into part_a values (1, 1); insert into part_b values (101, 1)`);
  await branch.query(`create table part_a ${part}; create table part_b ${part}`);
  await leaf.query("create table ab (id int primary key, v int, g int)");
  await root.londiste("add-table", "part_a", "part_b");
  await set.settle(root, branch);
  await branch.londiste("add-table", "part_a", "part_b", "--wait-sync");
  await set.settle(root, branch, leaf);
  const rows = async () => leaf.query("select id, v, g from ab order by id");
  const told = await leaf.londiste("add-table", "part_a", "--dest-table=ab", "--wait-sync");
  assert.match(told.stderr, /public\.part_a column g is generated on provider and stays empty here/);
  await leaf.londiste("add-table", "part_b", "--dest-table=ab", "--wait-sync");
  assert.deepEqual(await rows(), [
    { id: 1, v: 1, g: null },
    { id: 101, v: 1, g: null },
  ]);
  await leaf.londiste("resync", "part_a");
  await leaf.londiste("wait-sync");
  await root.query("update part_a set v = 2; insert into part_b values (102, 3)");
  await set.settle(root, branch, leaf);
  assert.deepEqual(await rows(), [
    { id: 1, v: 2, g: null },
    { id: 101, v: 1, g: null },
    { id: 102, v: 3, g: null },
  ]);
  const second = await root.tryLondiste("add-table", "again", "--dest-table=part_a", "--force");
  assert.match(second.stderr, /again\(public\.part_a\) is replicated already as public\.part_a/);
});

test("--create-full under another name: triggers, rules, policies and grants go to the new table", async () => {
  await leaf.query(
    "create function public.stamp() returns trigger language plpgsql as 'begin return new; end'",
  );
  const added = await leaf.londiste(
    "add-table",
    "app.orders",
    "--dest-table=app.orders_copy",
    "--create-full",
    "--wait-sync",
  );
  assert.match(
    added.stderr,
    /rule instead of app\.orders_copy left out: it names app\.orders in what it does, and the table is another here/,
  );
  assert.deepEqual(await belongings(leaf, "app.orders_copy"), await belongings(root, "app.orders"));
});

test("--find-copy-node copies from the root what the provider does not have; no event after it is lost or doubled", async () => {
  const refused = await leaf.tryLondiste("add-table", "late", "--create");
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /ERROR Table public\.late does not exist on provider, need to switch to different provider/,
  );
  const added = await leaf.londiste("add-table", "late", "--create", "--find-copy-node", "--wait-sync");
  assert.match(added.stderr, /Node branch does not have all tables/);
  assert.match(added.stderr, /Node root seems good source, using it/);
  await root.query(
    "insert into late select g from generate_series(41, 60) g; delete from late where id <= 5",
  );
  await set.settle(root, leaf);
  assert.deepEqual(
    await leaf.query("select * from late order by id"),
    await root.query("select * from late order by id"),
  );
  assert.match(leaf.log(), /Using 'root' as source node/);
  // The table is in sync before its copy has gone from the queue.
  await waitFor("the consumer of the copy to be gone", async () => {
    const left = await root.query("select from pgq.get_consumer_info('q') where consumer_name ~ 'copy'");
    return left.length === 0;
  });
});

test("resync --copy-node copies from the node that is named, and knows the names", async () => {
  await leaf.change("delete from late where id > 10");
  const itself = await leaf.tryLondiste("resync", "late", "--copy-node=leaf");
  assert.match(itself.stderr, /Cannot use itself as provider/);
  const nobody = await leaf.tryLondiste("resync", "late", "--copy-node=nobody");
  assert.match(nobody.stderr, /Cannot find node nobody/);
  await leaf.londiste("resync", "late", "--copy-node=root");
  await leaf.londiste("wait-sync");
  assert.deepEqual(
    await leaf.query("select count(*)::int4 as n from late"),
    await root.query("select count(*)::int4 as n from late"),
  );
});

test("--skip-non-existing leaves out what is not here, with a warning, and adds the rest", async () => {
  // What the set has lost while this node was away.
  await branch.query(
    `insert into londiste.table_info (queue_name, table_name, local, merge_state) values ('q', 'public.lost', true, 'ok');
     insert into londiste.seq_info (queue_name, seq_name, last_value) values ('q', 'public.lost_seq', 1)`,
  );
  await branch.query("create table more (id int primary key, v text)");
  const result = await branch.londiste("add-table", "more", "late", "nowhere", "--skip-non-existing");
  assert.match(result.stderr, /WARNING Table public\.late does not exist on local node, skipping/);
  assert.match(result.stderr, /WARNING public\.nowhere not available/);
  assert.match(result.stderr, /Table added: public\.more/);
  assert.match(result.stderr, /Table public\.lost gone but exists on subscriber, removing/);
  assert.deepEqual(
    await branch.query("select from londiste.table_info where table_name = 'public.lost'"),
    [],
  );
});

test("attributes are stored: --skip-truncate, --max-parallel-copy", async () => {
  await leaf.query("create table more (id int primary key, v text); insert into more values (-1, 'mine')");
  await branch.londiste("wait-sync");
  await leaf.londiste("add-table", "more", "--skip-truncate", "--max-parallel-copy=3", "--wait-sync");
  const listed = JSON.parse((await leaf.londiste("tables", "--json")).stdout) as {
    name: string;
    attributes: unknown;
  }[];
  const more = listed.find((table) => table.name === "public.more");
  assert.deepEqual(more?.attributes, { skip_truncate: "1", max_parallel_copy: "3" });
  assert.deepEqual(await leaf.query("select id from more"), [{ id: -1 }]);
  const bad = await leaf.tryLondiste("add-table", "more", "--max-parallel-copy=none");
  assert.match(bad.stderr, /--max-parallel-copy: "none" is not a number above 0/);
});

test("register_only_tables and register_skip_tables say what a node knows; local_only reads no more than that", async () => {
  const picky = await set.add("picky", {
    type: "leaf",
    provider: root,
    settings: {
      register_only_tables: "plain, more, public.late",
      register_skip_tables: "late",
      local_only: "yes",
    },
  });
  picky.startWorker();
  await root.query("create table extra (id int primary key)");
  await root.londiste("add-table", "extra");
  await set.settle(root, picky);
  const known = await picky.query<{ name: string }>(
    "select table_name as name from londiste.table_info order by 1",
  );
  assert.deepEqual(
    known.map((table) => table.name),
    ["public.more", "public.plain"],
  );
  await picky.londiste("add-table", "plain", "--create", "--wait-sync");
  await root.query("insert into plain (v) values ('only local'); insert into extra values (1)");
  await set.settle(root, picky);
  assert.equal((await picky.query("select from plain where v = 'only local'")).length, 1);
});

test("add-seq --create makes the sequence as it is on the provider, ahead of it", async () => {
  await root.query(
    "create sequence counter as int increment by 5 maxvalue 1000000; select nextval('counter'), nextval('counter')",
  );
  await root.londiste("add-seq", "counter");
  await set.settle(root, branch);
  const added = await branch.londiste("add-seq", "counter", "--create");
  assert.match(added.stderr, /Sequence added: public\.counter/);
  const shape =
    "select seqincrement, seqmax, format_type(seqtypid, null) as type from pg_sequence where seqrelid = 'counter'::regclass";
  assert.deepEqual(await branch.query(shape), await root.query(shape));
  assert.match(added.stderr, /Sequence public\.lost_seq gone but exists on subscriber, removing/);
  assert.deepEqual(
    await branch.query("select from londiste.seq_info where seq_name = 'public.lost_seq'"),
    [],
  );
  const again = await branch.londiste("add-seq", "counter", "--create");
  assert.match(again.stderr, /public\.counter already processed/);
});

test("--trigger-flags and --trigger-arg make the trigger, --no-sequences leaves the column's sequence alone, --names-only lists", async () => {
  await root.query(
    "create table flagged (id serial primary key, v text); create table flagged_too (id serial primary key, v text)",
  );
  await root.londiste(
    "add-table",
    "flagged",
    "flagged_too",
    "--trigger-flags=JIU",
    "--trigger-arg=backup",
    "--trigger-arg=ev_extra3='mine'",
    "--no-sequences",
  );
  for (const table of ["flagged", "flagged_too"]) {
    const [trigger] = await root.query<{ definition: string }>(
      "select pg_get_triggerdef(oid) as definition from pg_trigger where tgrelid = $1::regclass and tgname = '_londiste_q'",
      [table],
    );
    const wanted = `AFTER INSERT OR UPDATE ON public.${table} FOR EACH ROW EXECUTE FUNCTION pgq.jsontriga('q', 'backup', 'ev_extra3=''mine''')`;
    assert.ok(trigger?.definition.endsWith(wanted), trigger?.definition);
  }
  const sequences = JSON.parse((await root.londiste("seqs", "--json")).stdout) as { name: string }[];
  assert.equal(
    sequences.some(({ name }) => name === "public.flagged_id_seq"),
    false,
  );
  const names = (await root.londiste("tables", "--names-only")).stdout.trim().split("\n");
  assert.ok(names.includes("public.flagged"), names.join());
});

test("a set name that is no table anywhere: each node has a table of its own behind it, for compare and repair too", async () => {
  await root.query(
    "create table goods_1 (id int primary key, v text); insert into goods_1 values (1, 'copied')",
  );
  await root.londiste("add-table", "goods", "--dest-table=goods_1", "--force");
  await root.query("insert into goods_1 values (2, 'replayed'); update goods_1 set v = 'both' where id = 1");
  await set.settle(root, branch);
  await branch.londiste("add-table", "goods", "--dest-table=goods_here", "--create", "--wait-sync");
  await root.query("insert into goods_1 values (3, 'later'); delete from goods_1 where id = 2");
  await branch.change("insert into goods_here values (9, 'wrong')");
  await set.settle(root, branch);
  await branch.londiste("repair", "goods", "--apply");
  assert.match((await branch.londiste("compare", "goods")).stdout, /public\.goods identical: 2 rows/);
  const rows = "select * from goods_here order by id";
  assert.deepEqual(await branch.query(rows), [
    { id: 1, v: "both" },
    { id: 3, v: "later" },
  ]);
});
