import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { startProgram, waitFor } from "@skytools/testbed";
import { NodeSet, type SetNode } from "../fixture/node-set.js";

let set: NodeSet;
let root: SetNode;
let branch: SetNode;
let leaf: SetNode;

const setup = `
  create type mood as enum ('sad', 'happy');
  create table t (id int primary key, v text, m mood);
  create table other (id int primary key);
  create table log (what text);
  create function note() returns trigger language plpgsql as $$ begin insert into public.log values (tg_op); return null; end $$;
  create trigger note after insert on other for each row execute function note();`;

before(async () => {
  set = await NodeSet.start();
  set.startTicker();
  root = await set.add("root", { type: "root", setup, settings: { lock_timeout: "0.2" } });
  root.startWorker();
  branch = await set.add("branch", { type: "branch", provider: root, setup });
  branch.startWorker();
  leaf = await set.add("leaf", { type: "leaf", provider: branch, setup });
  leaf.startWorker();
  await root.londiste("add-table", "t");
  await set.settle(root, branch);
  await branch.query("alter table t rename to renamed");
  await branch.londiste("add-table", "t", "--dest-table=renamed", "--expect-sync");
  await set.settle(root, leaf);
  await leaf.londiste("add-table", "t", "--expect-sync");
});

after(async () => {
  await set[Symbol.asyncDispose]();
});

const everywhere = () => [branch, leaf] as const;

test("a script runs on root, branch and leaf, in order with the data around it", async () => {
  const file = root.writeFile(
    "add-column.sql",
    "--*-- Local-Table: t\nalter table @t@ add column w int not null default 7;\nupdate @t@ set w = 8 where id <= 2;",
  );
  await root.query("insert into t select g, 'before' from generate_series(1, 50) g");
  await root.londiste("execute", file);
  await root.query("insert into t select g, 'after', null, g from generate_series(51, 100) g");
  await set.settle(root, ...everywhere());
  const rows = await root.query("select * from t order by id");
  assert.equal(rows.length, 100);
  assert.deepEqual(await branch.query("select * from renamed order by id"), rows);
  assert.deepEqual(await leaf.query("select * from t order by id"), rows);
  const [left] = await root.query("select count(*)::int4 as n from t where w = 8");
  assert.deepEqual(left, { n: 2 });
});

test("data changed by a script does not come a second time as events", async () => {
  await root.londiste(
    "execute",
    root.writeFile("map.sql", "--*-- Local-Table: t\ninsert into @t@ (id) values (1002)"),
  );
  await set.settle(root, ...everywhere());
  for (const node of everywhere()) {
    const table = node === branch ? "renamed" : "t";
    assert.deepEqual(await node.query(`select id from ${table} where id >= 1000`), [{ id: 1002 }]);
  }
});

test("a file name counts once: the second run is skipped with exit code 0", async () => {
  const again = await root.londiste("execute", "add-column.sql", "--json");
  assert.match(again.stderr, /EXECUTE: "add-column\.sql" already applied, skipping/);
  assert.match(again.stderr, /WARNING Skipping execution of 'add-column\.sql'/);
  assert.deepEqual(JSON.parse(again.stdout), [{ file: "add-column.sql", outcome: "already applied" }]);
});

test("a script that asks for what a node does not have is skipped there", async () => {
  await root.query("create schema only_here");
  await root.londiste(
    "execute",
    root.writeFile("schema.sql", "--*-- Need-Schema: only_here\ncreate table only_here.x (id int)"),
  );
  await set.settle(root, ...everywhere());
  assert.match(leaf.log(), /schema\.sql: This SQL does not need to run on this node\./);
  const [there] = await root.query("select to_regclass('only_here.x') is not null as found");
  assert.deepEqual(there, { found: true });
});

test("user triggers fire in a script, and what it sets does not stay in the worker's session", async () => {
  await root.londiste(
    "execute",
    root.writeFile("settings.sql", "set search_path = pg_catalog; insert into public.other values (1);"),
  );
  await root.londiste("execute", root.writeFile("unqualified.sql", "insert into other values (2)"));
  await set.settle(root, ...everywhere());
  for (const node of everywhere()) {
    assert.deepEqual(await node.query("select what from log"), [{ what: "INSERT" }, { what: "INSERT" }]);
  }
});

test("a type that the worker's session has used can be dropped by a script", async () => {
  await root.query("insert into t (id, m) select g, 'sad' from generate_series(2001, 2100) g");
  await set.settle(root, ...everywhere());
  await root.query("begin; insert into t (id, m) select g, 'sad' from generate_series(2101, 2200) g; commit");
  await root.londiste(
    "execute",
    root.writeFile("drop.sql", "--*-- Local-Table: t\nalter table @t@ drop column m;\ndrop type mood;"),
  );
  await root.query("insert into t (id) select g from generate_series(2201, 2300) g");
  await set.settle(root, ...everywhere());
  const [rows] = await leaf.query("select count(*)::int4 as n from t where id > 2000");
  assert.deepEqual(rows, { n: 300 });
});

test("--dry-run prints the statements with local names and changes nothing", async () => {
  const file = root.writeFile(
    "dry.sql",
    "--*-- Local-Table: t\nalter table @t@ add column dry int;\nselect 1",
  );
  const shown = await root.londiste("execute", file, "--dry-run");
  assert.equal(
    shown.stdout,
    "dry.sql: runs here and goes into the queue\nalter table public.t add column dry int;\nselect 1\n",
  );
  assert.deepEqual(
    await root.query("select from londiste.applied_execute where execute_file = 'dry.sql'"),
    [],
  );
});

test("a failing script names file and line, and nothing of any file stays", async () => {
  const good = root.writeFile("good.sql", "create table half_done (id int)");
  const bad = root.writeFile("bad.sql", "select 1;\nselect 1/0;");
  const result = await root.tryLondiste("execute", good, bad);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /ERROR bad\.sql: line 2: division by zero/);
  assert.deepEqual(
    await root.query("select from londiste.applied_execute where execute_file = 'good.sql'"),
    [],
  );
  assert.deepEqual(await root.query("select to_regclass('half_done') as found"), [{ found: null }]);
});

test("execute on another node than the root is refused", async () => {
  const result = await leaf.tryLondiste("execute", "good.sql");
  assert.equal(result.code, 1);
  assert.match(result.stderr, /ERROR Node is not root node: q/);
});

test("a lock that is held is waited for lock_timeout only, and tried again", async () => {
  const holder = await Database.open(root.connstr);
  await holder.execute("lock table t");
  const file = root.writeFile("locked.sql", "--*-- Local-Table: t\nalter table @t@ add column locked int");
  const program = startProgram("londiste3", ["root.ini", "execute", file, "--attempts=99"], {
    cwd: set.directory,
  });
  await program.waitForOutput(/locked\.sql: line 2: .*lock timeout.*: attempt 1 of 99, trying again/);
  await holder.close();
  assert.equal((await program.exit).code, 0);
  await set.settle(root, ...everywhere());
});

test("a script that matches a node only in part stops replication there until the node is as the script says", async () => {
  await root.query("create table extra (id int)");
  await root.londiste(
    "execute",
    root.writeFile(
      "partial.sql",
      "--*-- Local-Table: t\n--*-- Need-Table: extra\nalter table @t@ add column part int",
    ),
  );
  const message = /SQL only partially matches local setup: matches=\[t\] misses=\[extra\] \(EXECUTE\)/;
  await waitFor("the branch to stop", () => message.test(branch.log()), {
    onTimeout: () => branch.logTail(),
  });
  await branch.query("create table extra (id int)");
  await leaf.query("create table extra (id int)");
  await set.settle(root, ...everywhere());
  const [column] = await leaf.query(
    "select count(*)::int4 as n from information_schema.columns where column_name = 'part'",
  );
  assert.deepEqual(column, { n: 1 });
});

test("a worker that is killed when a script has run, before its batch is committed, runs it once in all", async () => {
  await leaf.stopWorker();
  await root.londiste(
    "execute",
    root.writeFile("once.sql", "create table once (id serial primary key); insert into once default values"),
  );
  const dying = leaf.startWorker({ SKYTOOLS_CRASH_POINT: "worker.before-target-commit=kill" });
  assert.equal((await dying.exit).signal, "SIGKILL");
  leaf.startWorker();
  await set.settle(root, ...everywhere());
  for (const node of everywhere()) assert.equal((await node.query("select from once")).length, 1, node.name);
});

test("a copy whose rows contain the work of a script waits until the script has been run here", async () => {
  const table = "create table copied (id int primary key, v int)";
  await root.query(`${table}; insert into copied select g, g from generate_series(1, 10) g`);
  await branch.query(table);
  await root.londiste("add-table", "copied");
  await set.settle(root, branch);
  await branch.stopWorker();
  await root.londiste(
    "execute",
    root.writeFile(
      "add-w.sql",
      "alter table copied add column w int default 1; update copied set v = v + 1, w = id",
    ),
  );
  await root.query("select pgq.force_tick('q')");
  await branch.londiste("add-table", "copied");
  // As if the worker had died when it had asked for the copy.
  await branch.query(
    "update londiste.table_info set merge_state = 'in-copy' where table_name = 'public.copied'",
  );
  await using copy = startProgram("londiste3", ["branch.ini", "copy", "public.copied"], {
    cwd: set.directory,
  });
  await waitFor(
    "the copy to wait",
    () => /waiting until the worker has run what the rows contain: add-w\.sql/.test(branch.log()),
    { onTimeout: () => branch.logTail() },
  );
  branch.startWorker();
  await branch.londiste("wait-sync");
  await copy.exit;
  await set.settle(root, branch);
  assert.deepEqual(
    await branch.query("select * from copied order by id"),
    await root.query("select * from copied order by id"),
  );
});

test("a table whose rows a script changes while its copy catches up is copied again; one that it leaves alone is not", async () => {
  const table = "create table behind (id int primary key, v int)";
  await root.query(`${table}; insert into behind select g, g from generate_series(1, 10) g`);
  await branch.query(table);
  await root.londiste("add-table", "behind");
  await branch.londiste("add-table", "behind", "--wait-sync");
  await branch.stopWorker();
  // A copy that stands still.
  const copy = await Database.open(branch.connstr, { autocommit: true });
  await copy.query("select pg_advisory_lock(hashtextextended('londiste copy q public.behind', 0))");
  await branch.query(
    "update londiste.table_info set merge_state = 'catching-up' where table_name = 'public.behind'",
  );
  const state = async () => {
    const [row] = await branch.query<{ merge_state: string | null }>(
      "select merge_state from londiste.table_info where table_name = 'public.behind'",
    );
    return row?.merge_state;
  };
  const wasRun = async (script: string) =>
    (await branch.query("select from londiste.applied_execute where execute_file = $1", [script])).length > 0;
  const onTimeout = () => branch.logTail();
  branch.startWorker();
  await root.londiste(
    "execute",
    root.writeFile("apart.sql", "create table apart (id int); alter table behind add w int"),
  );
  await waitFor("a script that leaves the table alone", () => wasRun("apart.sql"), { onTimeout });
  assert.equal(await state(), "catching-up");
  await root.londiste("execute", root.writeFile("plus.sql", "update behind set v = v + 100"));
  await waitFor("a script that changes its rows", () => wasRun("plus.sql"), { onTimeout });
  // the worker may have begun the new copy already
  assert.match(String(await state()), /^(null|in-copy)$/);
  assert.match(
    branch.log(),
    /script plus\.sql has changed rows of public\.behind while it was copied: it is copied again/,
  );
  await copy.close();
  await branch.londiste("wait-sync");
  await set.settle(root, branch);
  assert.deepEqual(
    await branch.query("select * from behind order by id"),
    await root.query("select * from behind order by id"),
  );
});
