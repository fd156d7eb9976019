import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { startProgram } from "@skytools/testbed";
import { Replication } from "../fixture/replication.js";

let stage: Replication;

before(async () => {
  stage = await Replication.start();
  await stage.run(
    "root",
    "create table keyless (v text); create table only_here (id int primary key); create table shared (id int primary key); create view seen as table shared",
  );
  await stage.run("leaf", "create table shared (id int primary key); create view viewed as table shared");
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

/** A message is one line; what to do about it may follow. */
function assertOneLine(text: string): void {
  const lines = text
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("HINT: "));
  assert.equal(lines.length, 1, text);
}

interface Refused {
  readonly what: string;
  /** lines of the section; the database key is added unless it is there */
  readonly config: readonly string[];
  readonly args?: readonly string[];
  readonly code?: number;
  readonly says: RegExp;
}

const configs: readonly Refused[] = [
  { what: "no database", config: ["queue_name = q"], says: /wrong\.ini.*\[londiste3\].*db/ },
  { what: "no queue", config: ["db = dbname=shop"], says: /queue_name is not set/ },
  { what: "a malformed connect string", config: ["queue_name = q", "db = dbname"], says: /wrong\.ini.*db/ },
  {
    what: "no copies at all",
    config: ["queue_name = q", "db = dbname=shop", "parallel_copies = 0"],
    says: /wrong\.ini:\d+.*parallel_copies/,
  },
  {
    what: "a number that is none",
    config: ["queue_name = q", "db = dbname=shop", "loop_delay = soon"],
    says: /wrong\.ini:\d+.*loop_delay/,
  },
  { what: "another section", config: [], says: /wrong\.ini.*londiste3/ },
];

for (const { what, config, says } of configs) {
  test(`a config with ${what} is refused in one line before any database is touched`, async () => {
    const section = config.length === 0 ? "[pgqd]\n" : "[londiste3]\n";
    await writeFile(stage.path("wrong.ini"), `${section}${config.map((line) => `${line}\n`).join("")}`);
    for (const command of [["worker"], ["add-table", "shared"], ["status"]]) {
      const result = await stage.tryLondisteFile("wrong.ini", ...command);
      assert.equal(result.code, 1, result.stderr);
      assert.match(result.stderr, says);
      assertOneLine(result.stderr);
    }
  });
}

const commands: readonly {
  readonly what: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly says: RegExp;
}[] = [
  {
    what: "no node yet",
    args: ["add-table", "shared"],
    code: 1,
    says: /queue "shop_queue" has no node in shop on/,
  },
  { what: "an unknown command", args: ["ad-table"], code: 1, says: /Unknown command 'ad-table'/ },
  { what: "an unknown switch", args: ["add-table", "--no-such"], code: 2, says: /--no-such/ },
];

for (const { what, args, code, says } of commands) {
  test(`a command with ${what} is refused`, async () => {
    const result = await stage.tryLondiste("root", ...args);
    assert.equal(result.code, code);
    assert.match(result.stderr + result.stdout, says);
  });
}

test("a database that does not exist is named in one line", async () => {
  await stage.writeConfig("root", { db: stage.clusters.root.connstr("nowhere") });
  const result = await stage.tryLondiste("root", "create-root", "root", stage.connstr("root"));
  await stage.writeConfig("root");
  assert.equal(result.code, 1);
  assert.match(result.stderr, /database "nowhere" does not exist/);
  assertOneLine(result.stderr);
});

test("a table without primary key, or not there, is refused in one line and nothing changes", async () => {
  await stage.createNodes();
  const cases = [
    { node: "root", table: "keyless", says: /ERROR Primary key missing on table: public\.keyless/ },
    {
      node: "root",
      table: "seen",
      says: /public\.seen is a view in shop on .*: only tables can be replicated/,
    },
    { node: "leaf", table: "viewed", says: /public\.viewed is a view in shop on/ },
    { node: "root", table: "nowhere", says: /public\.nowhere not available: no such table in shop on/ },
    {
      node: "leaf",
      table: "shared",
      says: /public\.shared not available: not a table of the set "shop_queue"/,
    },
  ] as const;
  for (const { node, table, says } of cases) {
    const result = await stage.tryLondiste(node, "add-table", table);
    assert.equal(result.code, 1);
    assert.match(result.stderr, says);
    if (!says.source.includes("view")) assert.match(result.stderr, /^HINT: /m);
    if (says.source.includes("view")) assertOneLine(result.stderr);
    assert.deepEqual(await stage.query(node, "select table_name from londiste.table_info"), []);
  }
  await stage.londiste("root", "add-table", "only_here", "shared");
  const absent = await stage.tryLondiste("leaf", "add-table", "only_here");
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /ERROR Table does not exist: public\.only_here/);
  assert.deepEqual(await stage.query("leaf", "select table_name from londiste.table_info"), []);
  assert.deepEqual(
    await stage.query(
      "leaf",
      "select tgname from pg_trigger where not tgisinternal and tgrelid = 'shared'::regclass",
    ),
    [],
  );
});

test("a value that a switch does not take ends with 2, before a database is touched", async () => {
  const cases = [
    ["add-table", "shared", "--max-parallel-copy=none"],
    ["add-table", "shared", "only_here", "--dest-table=other"],
    ["add-table", "shared", "--trigger-flags=XYZ"],
    ["add-table", "shared", "--handler-arg=a=b"],
    ["add-table", "shared", "--handler=bulk", "--handler-arg=method"],
    ["add-table", "shared", "--merge-all", "--no-merge"],
    ["resync", "shared", "--timeout=soon"],
    ["compare", "--row-limit=few"],
    ["repair", "--sort-bufsize=plenty"],
    ["repair", "--repair-where=id = 1) or (true"],
    ["execute", "none.sql", "--attempts=0"],
    ["wait-sync", "--timeout=soon"],
  ];
  await stage.writeConfig("leaf", { db: stage.clusters.leaf.connstr("nowhere") });
  for (const args of cases) {
    const result = await stage.tryLondiste("leaf", ...args);
    assert.equal(result.code, 2, `${args.join(" ")}: ${result.stderr}`);
  }
  await stage.writeConfig("leaf");
});

test("a glob that matches nothing is told", async () => {
  for (const [node, command] of [
    ["root", "add-table"],
    ["leaf", "remove-table"],
    ["leaf", "resync"],
  ] as const) {
    const { stderr } = await stage.londiste(node, command, "nothing*");
    assert.match(stderr, /WARNING public\.nothing\* matches nothing: /);
  }
  const again = await stage.londiste("root", "add-table", "shar*");
  assert.doesNotMatch(again.stderr, /matches nothing/);
});

test("compare of a table that is not replicated here does not end as if it were identical", async () => {
  const result = await stage.tryLondiste("leaf", "compare", "nowhere");
  assert.equal(result.code, 1);
  assert.match(result.stderr, /ERROR 1 of 1 table\(s\) could not be compared/);
});

test("tables are not added for a user that cannot say that its changes are no local ones; check says so too", async () => {
  const owner = (name: string) =>
    stage.query(
      "leaf",
      `alter function londiste.set_session_replication_role(text, boolean) owner to ${name}`,
    );
  await stage.query("leaf", "create role lowly");
  await owner("lowly");
  const says = /cannot set session_replication_role on shop on .*\nHINT: Let a superuser grant it/;
  for (const more of [[], ["--dry-run"]]) {
    const result = await stage.tryLondiste("leaf", "add-table", "shared", ...more);
    assert.equal(result.code, 1);
    assert.match(result.stderr, says);
    assertOneLine(result.stderr);
  }
  assert.deepEqual(await stage.query("leaf", "select table_name from londiste.table_info"), []);
  assert.match((await stage.londiste("leaf", "check")).stderr, says);
  await owner("postgres");
});

test("--dry-run says what would be done and does nothing", async () => {
  const result = await stage.londiste("leaf", "add-table", "shared", "--dry-run");
  assert.match(result.stdout, /add table public\.shared to leaf "leaf"/);
  assert.doesNotMatch(result.stderr, /Table added/);
  assert.deepEqual(await stage.query("leaf", "select table_name from londiste.table_info"), []);
});

test("wait-sync tells once why a copy fails", async () => {
  await stage.londiste("leaf", "add-table", "shared");
  await stage.query(
    "leaf",
    "select londiste.local_copy_start('shop_queue', 'public.shared', 'p', 'root', null, null)",
  );
  await stage.query(
    "leaf",
    "select londiste.local_copy_error('shop_queue', 'public.shared', 'exit code 1: no room', '1 minute')",
  );
  const result = await stage.tryLondiste("leaf", "wait-sync", "--timeout=1");
  assert.equal(result.code, 1);
  assert.equal(result.stderr.match(/WARNING public\.shared: copy fails: no room\nHINT: /g)?.length, 1);
});

test("wait-sync tells again and again what is wrong with those who are to bring the tables", async () => {
  const args = ["leaf.ini", "wait-sync", "--set=wait_report_period=0.2"];
  await using waiting = startProgram("londiste3", args, { cwd: stage.directory });
  const told = 'WARNING leaf: worker "shop_leaf" is not connected to the node\'s database';
  await waiting.waitForOutput(new RegExp(`${told}[\\s\\S]*${told}`));
  assert.equal(waiting.isRunning, true);
});
