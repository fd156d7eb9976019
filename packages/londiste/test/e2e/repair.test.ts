import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { runProgram, startProgram, waitFor } from "@skytools/testbed";
import { NodeSet, type SetNode } from "../fixture/node-set.js";
import { underLoad } from "../fixture/under-load.js";

let set: NodeSet;
let root: SetNode;
let branch: SetNode;
let leaf: SetNode;

const tables = `
  create table "Odd.Name" (id int, "part" text, v text, j json, n numeric, at timestamptz, primary key (id, "part"));
  create table parent (id int primary key);
  create table child (id int primary key, parent int, v text);
  create table amounts (n numeric, s text collate "C", v text, primary key (n, s));
  create table swaps (id int primary key, u int unique, v text);
  create type pair as (a int, b text);
  create table pairs (id int primary key, p pair, q pair[], b boolean, c char(5));`;

before(async () => {
  set = await NodeSet.start();
  set.startTicker();
  root = await set.add("root", { type: "root", setup: tables });
  root.startWorker();
  branch = await set.add("branch", { type: "branch", provider: root, setup: tables });
  branch.startWorker();
  leaf = await set.add("leaf", { type: "leaf", provider: branch, setup: tables });
  leaf.startWorker();
  await root.query(
    `insert into "Odd.Name" select g, 'p', 'v' || g, '{"a": 1}', g + 0.50, '2025-01-01' from generate_series(1, 2000) g;
     insert into parent select g from generate_series(1, 10) g;
     insert into child select g, g, 'c' from generate_series(1, 10) g;
     insert into amounts values (1.0, 'a', 'x'), (2.0, 'b', 'x'), (3.0, 'c', 'x');
     insert into pairs values (1, (1, null), null, true, 'a'), (2, null, '{}', null, 'b'), (3, (null, null), array[(3, '')::pair], false, null);
     insert into swaps select g, g, 'v' from generate_series(1, 1200) g`,
  );
  await root.londiste("add-table", "public.Odd.Name", "parent", "child", "amounts", "swaps", "pairs");
  await set.settle(root, branch);
  await branch.londiste("add-table", "--all", "--wait-sync");
  await set.settle(root, leaf);
  await leaf.londiste("add-table", "--all", "--wait-sync");
});

after(async () => {
  await set[Symbol.asyncDispose]();
});

/** A missing, a changed and an extra row, among them the first and the last one in the order of the key. */
async function damage(node: SetNode): Promise<void> {
  await node.change(
    `delete from "Odd.Name" where id in (1, 2000);
     update "Odd.Name" set v = E'it''s\\nwrong\\\\', n = null where id = 1000;
     update "Odd.Name" set j = '{"a": 2}' where id = 3;
     insert into "Odd.Name" values (9999, 'extra', 'x'), (9998, 'extra', null)`,
  );
}

const name = "public.Odd.Name";
const rows = (node: SetNode) =>
  node.query(`select id, part, v, j::text, n::text, at from "Odd.Name" order by id, part`);

test("compare tells the keys that differ, found by ranges of keys", async () => {
  await damage(branch);
  const result = await branch.tryLondiste("compare", name, "--show-keys=10");
  assert.equal(result.code, 1);
  const keys = result.stdout.trim().split("\n").slice(1);
  assert.deepEqual(keys.map((line) => line.trim()).sort(), [
    "changed: (1000, p)",
    "changed: (3, p)",
    "extra: (9998, extra)",
    "extra: (9999, extra)",
    "missing: (1, p)",
    "missing: (2000, p)",
  ]);
});

test("a repair that dies while it writes leaves no file that looks whole", async () => {
  const file = branch.path("fix.public.Odd.Name.sql");
  for (const hit of [1, 2, 3]) {
    const { code, stderr } = await runProgram("londiste3", ["branch.ini", "repair", name], {
      cwd: set.directory,
      env: { SKYTOOLS_CRASH_POINT: `file.written=kill:${hit}` },
    });
    assert.equal(code, 137, stderr);
    assert.deepEqual([existsSync(`${file}.new`), existsSync(file)], [true, false]);
  }
});

test("repair writes one statement a line into a file, which makes the table right", async () => {
  const result = await branch.tryLondiste("repair", name, "--json");
  assert.equal(result.code, 1);
  assert.match(
    result.stderr,
    /finished public\.Odd\.Name: src: 2000 rows, dst: 2000 rows, missed: 2 inserts, 2 updates, 2 deletes/,
  );
  const [found] = JSON.parse(result.stdout) as { inserts: number; updates: number; deletes: number }[];
  assert.deepEqual([found?.inserts, found?.updates, found?.deletes], [2, 2, 2]);
  const lines = readFileSync(branch.path("fix.public.Odd.Name.sql"), "utf8").trimEnd().split("\n");
  assert.equal(lines.length, 6);
  assert.equal(existsSync(branch.path("fix.public.Odd.Name.sql.new")), false);
  assert.ok(
    lines.some((line) =>
      /^update only public\."Odd\.Name" set v = 'v1000', n = '1000\.50' where id = '1000' and part = 'p' and v = E'it''s\\nwrong\\\\' and n is null;$/.test(
        line,
      ),
    ),
    lines.join("\n"),
  );
  await branch.change(lines.join("\n"));
  assert.deepEqual(await rows(branch), await rows(root));
  await branch.londiste("repair", name);
  assert.equal(existsSync(branch.path("fix.public.Odd.Name.sql")), false, "a file without fixes");
});

test("a file of fixes can be read by its owner only, and is written through no link", async () => {
  await branch.change("update child set v = 'wrong' where id = 3");
  const file = branch.path("fix.public.child.sql");
  const elsewhere = branch.path("elsewhere");
  writeFileSync(elsewhere, "kept");
  symlinkSync(elsewhere, file);
  const refused = await branch.tryLondiste("repair", "child");
  assert.match(refused.stderr, /ERROR fix\.public\.child\.sql is in the way of the fixes: it is no file/);
  rmSync(file);
  symlinkSync(elsewhere, `${file}.new`);
  await branch.tryLondiste("repair", "child");
  assert.match(readFileSync(file, "utf8"), /^update only public\.child set v = 'c' .*\n$/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(readFileSync(elsewhere, "utf8"), "kept");
  await branch.londiste("repair", "child", "--apply");
});

test("repair --apply fixes a branch and a leaf behind it while changes come in, and undoes none of them", async () => {
  await damage(branch);
  await damage(leaf);
  const write = (nr: number) =>
    root.query(
      `update "Odd.Name" set v = 'live ${nr}' where id in (1000, 1001); insert into "Odd.Name" values (${10_000 + nr}, 'live', 'x')`,
    );
  await underLoad(root, write, async () => {
    const first = await branch.londiste("repair", name, "--apply", "--force");
    assert.match(first.stdout, /public\.Odd\.Name repaired: 2 inserts, \d updates, 2 deletes/);
    const second = await leaf.londiste("repair", name, "--apply", "--force");
    assert.match(second.stdout, /public\.Odd\.Name repaired: 2 inserts/);
  });
  await set.settle(root, branch, leaf);
  const expected = await rows(root);
  assert.deepEqual(await rows(branch), expected);
  assert.deepEqual(await rows(leaf), expected);
});

test("keys that are equal and written differently count once, in events that are not replayed yet", async () => {
  await leaf.stopWorker();
  for (const sql of [
    "update amounts set v = 'first' where n = 1",
    "update amounts set n = 1.00, v = 'second' where n = 1",
    "delete from amounts where n = 2",
    "insert into amounts values (2.000, 'b', 'anew')",
    "delete from amounts where n = 3.0",
  ]) {
    await root.query(sql);
  }
  await set.settle(root, branch);
  const result = await leaf.londiste("compare", "amounts");
  assert.match(result.stdout, /public\.amounts identical: 2 rows/);
  leaf.startWorker();
  await set.settle(root, leaf);
  await leaf.londiste("compare", "amounts");
});

test("repair --apply puts rows right that stand in each other's way, and keeps columns that are only here", async () => {
  await leaf.query("alter table swaps add column mine text default 'mine'");
  await leaf.change(`
    alter table swaps drop constraint swaps_u_key;
    delete from swaps where id = 700; update swaps set id = 5000 where id = 3;
    update swaps set u = u % 1200 + 1; alter table swaps add unique (u); update swaps set mine = id where id < 5`);
  const result = await leaf.londiste("repair", "swaps", "--apply");
  assert.match(result.stdout, /public\.swaps repaired: 2 inserts, 1198 updates, 1 deletes\n/);
  assert.equal((await leaf.query("select from swaps where u = id and id <= 1200")).length, 1200);
  assert.deepEqual(await leaf.query("select id, mine from swaps where mine <> 'mine' order by id"), [
    { id: 1, mine: "1" },
    { id: 2, mine: "2" },
    { id: 4, mine: "4" },
  ]);
  await leaf.query("alter table swaps drop column mine");
});

test("repair --apply ends after the rows at hand when it is interrupted, and holds no other command up", async () => {
  await leaf.change("update swaps set v = 'wrong'");
  await using worker = await Database.open(leaf.connstr);
  await worker.query("select from pgq_node.local_state where queue_name = 'q' for update");
  await using repairing = startProgram("londiste3", ["leaf.ini", "repair", "swaps", "--apply", "--force"], {
    cwd: set.directory,
  });
  await repairing.waitForOutput(/INFO Checking public\.swaps/);
  await leaf.londiste("resync", "child", "--dry-run");
  repairing.signal("SIGINT");
  await repairing.waitForOutput(/got SIGINT/);
  await worker.commit();
  assert.equal((await repairing.exit).code, 1);
  assert.match(
    repairing.stderrText(),
    /ERROR public\.swaps: interrupted, 0 inserts, (?:0|500) updates, 0 deletes are done/,
  );
  await leaf.londiste("repair", "swaps", "--apply", "--force");
  await leaf.londiste("compare", "swaps");
});

test("values of composite types with nulls in them are told apart, and repaired", async () => {
  const shown = "select id, p::text, q::text, b, c from pairs order by id";
  await leaf.change("update pairs set p = null, q = array[(3, null)::pair] where id in (1, 3)");
  const result = await leaf.londiste("repair", "pairs", "--apply");
  assert.match(result.stdout, /public\.pairs repaired: 0 inserts, 2 updates, 0 deletes/);
  assert.deepEqual(await leaf.query(shown), await root.query(shown));
  await leaf.londiste("compare", "pairs");
});

test("repair of an empty table, and of one whose last rows are missing", async () => {
  await leaf.change("truncate parent; delete from child where id > 5");
  const result = await leaf.londiste("repair", "parent", "child", "--apply");
  assert.match(
    result.stdout,
    /public\.parent repaired: 10 inserts, 0 updates, 0 deletes\npublic\.child repaired: 5 inserts/,
  );
  await leaf.londiste("compare", "parent", "child");
});

test("--repair-where and --dry-run: only the rows asked for, on the terminal, nothing changed", async () => {
  await leaf.change("update child set v = 'wrong'");
  const result = await leaf.tryLondiste("repair", "child", "--repair-where=id <= 2", "--dry-run");
  assert.equal(result.code, 1);
  assert.equal(
    result.stdout.trim().split("\n").sort().join("\n"),
    "update only public.child set v = 'c' where id = '1' and v = 'wrong';\nupdate only public.child set v = 'c' where id = '2' and v = 'wrong';",
  );
  assert.equal((await leaf.query("select from child where v = 'wrong'")).length, 10);
  const asJson = await leaf.tryLondiste("repair", "child", "--repair-where=id = 1", "--dry-run", "--json");
  const [found] = JSON.parse(asJson.stdout) as { updates: number; statements: string[] }[];
  assert.deepEqual(
    [found?.updates, found?.statements],
    [1, ["update only public.child set v = 'c' where id = '1' and v = 'wrong';"]],
  );
  await leaf.londiste("repair", "child", "--apply");
});

test("compare, repair and check take globs; one that matches nothing does not end as if all were well", async () => {
  for (const command of ["compare", "check"]) {
    const { stdout } = await leaf.londiste(command, "p?r*", "child");
    assert.deepEqual(stdout.match(/^public\.\w+/gm)?.sort(), ["public.child", "public.parent"], stdout);
  }
  assert.match((await leaf.londiste("repair", "c*")).stdout, /^public\.child identical\n$/);
  const none = await leaf.tryLondiste("compare", "nothing*");
  assert.equal(none.code, 1);
  assert.match(none.stderr, /ERROR public\.nothing\* matches no table that is replicated here\n/);
});

test("resync --wait-sync ends when the tables are in sync again, and with --timeout in time", async () => {
  await leaf.stopWorker();
  const late = await leaf.tryLondiste("resync", "child", "--wait-sync", "--timeout=0.5");
  assert.equal(late.code, 1);
  assert.match(late.stderr, /ERROR tables not in sync: public\.child: /);
  const other = await leaf.londiste("wait-sync", "parent", "--timeout=20");
  assert.match(other.stderr, /All done/);
  const unknown = await leaf.tryLondiste("wait-sync", "nowhere");
  assert.match(unknown.stderr, /ERROR Table not subscribed: public\.nowhere\nHINT: /);
  leaf.startWorker();
  await leaf.londiste("resync", "child", "--wait-sync");
  const [row] = await leaf.query(
    "select merge_state from londiste.table_info where table_name = 'public.child'",
  );
  assert.deepEqual(row, { merge_state: "ok" });
});

test("--row-limit compares the first rows by key; compare_sql asks what it says", async () => {
  await leaf.change("update child set v = 'wrong' where id = 9");
  await leaf.londiste("compare", "child", "--row-limit=8");
  const all = await leaf.tryLondiste("compare", "child", "--row-limit=9");
  assert.equal(all.code, 1);
  const custom = "--set=compare_sql=select count(1) as cnt, sum(id) as chksum from only _TABLE_";
  const same = await leaf.londiste("compare", "child", custom);
  assert.match(same.stdout, /public\.child identical: 10 rows, checksum=55/);
  const size = await leaf.tryLondiste("repair", "child", "--apply", "--sort-bufsize=plenty");
  assert.match(size.stderr, /--sort-bufsize: "plenty" is not a size such as 64MB/);
  await leaf.londiste("repair", "child", "--apply", "--sort-bufsize=64MB");
});

test("check tells where a table here is not as on the provider", async () => {
  const same = await leaf.londiste("check");
  assert.match(same.stdout, /public\.child same/);
  await leaf.query(
    "alter table child add column mine int; alter table child alter column v set not null; create unique index on child (v, id)",
  );
  const result = await leaf.tryLondiste("check", "child");
  assert.equal(result.code, 1);
  assert.equal(
    result.stdout,
    [
      "public.child DIFFERENT",
      "  column v: provider text; here text not null",
      "  column mine: provider absent; here integer",
      "  unique: provider absent; here USING btree (v, id)",
      "",
    ].join("\n"),
  );
  await branch.query("alter table swaps drop constraint swaps_pkey, add primary key (id) deferrable");
  assert.match(
    (await leaf.tryLondiste("check", "swaps")).stdout,
    /primary key: provider PRIMARY KEY \(id\) DEFERRABLE: rows that trade keys cannot be told apart/,
  );
  await branch.query("alter table swaps drop constraint swaps_pkey, add primary key (id)");
  const unknown = await leaf.tryLondiste("check", "nowhere");
  assert.match(unknown.stderr, /Table not subscribed: public\.nowhere/);
});

test("check --full also tells what a node lacks that may become the root; a disabled trigger of the queue is always told", async () => {
  await leaf.query(
    `alter table child alter column v set default 'x'; create index on child (v); create role check_reader;
     grant select on child to check_reader; alter table child disable trigger _londiste_q`,
  );
  const plain = await leaf.tryLondiste("check", "child");
  assert.match(plain.stdout, /trigger _londiste_q: .*here disabled: changes here are not noticed/);
  assert.doesNotMatch(plain.stdout, /default|index|grant/);
  const full = JSON.parse((await leaf.tryLondiste("check", "child", "--full", "--json")).stdout) as {
    drift: { object: string; provider: string; here: string }[];
  }[];
  const drift = full.flatMap((table) => table.drift.map((item) => Object.values(item).join(" | ")));
  for (const line of [
    "default of v | none | 'x'::text",
    "index | absent | USING btree (v)",
    "grant | absent | select to check_reader",
  ]) {
    assert.ok(drift.includes(line), drift.join("\n"));
  }
  await leaf.query("alter table child enable trigger _londiste_q");
});

test("fkeys lists a key that waits, and what it waits for", async () => {
  await branch.query("create table other (id int primary key)");
  await branch.change("insert into other select id from parent");
  await branch.query(
    "alter table child add constraint child_other foreign key (parent) references other (id)",
  );
  await branch.londiste("resync", "child");
  await waitFor("the key to be dropped", async () => {
    const found = await branch.query("select from londiste.pending_fkeys");
    return found.length === 1;
  });
  await branch.londiste("wait-sync");
  const listed = await branch.londiste("fkeys", "--json");
  const [key] = JSON.parse(listed.stdout) as { name: string; reasons: string[] }[];
  assert.deepEqual([key?.name, key?.reasons], ["child_other", ["public.other is not replicated here"]]);
  const text = await branch.londiste("fkeys");
  assert.match(
    text.stdout,
    /child_other +public\.child +public\.other +public\.other is not replicated here/,
  );
  const sql = await branch.londiste("fkeys", "--sql");
  assert.match(sql.stdout, /^alter table only .*child add constraint child_other foreign key .*;$/im);
});
