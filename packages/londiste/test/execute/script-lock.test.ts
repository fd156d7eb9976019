import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster } from "@skytools/testbed";
import { tablesBeingLoaded } from "#src/copy/copy-lock.js";
import { runScript } from "#src/execute/run-script.js";
import { parseScriptAttributes } from "#src/execute/script-attributes.js";
import { disturbance, tableMarks } from "#src/replay/script-changes.js";
import { silentLog } from "../fixture/apply-bench.js";

let cluster: Cluster;
let connstr: string;

before(async () => {
  cluster = await startCluster();
  connstr = await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"], "shop");
  await cluster.query(
    `create table loading (id int primary key);
     select pgq_node.register_location('q', 'here', 'dbname=shop', false), pgq_node.register_location('q', 'root', 'dbname=x', false);
     select pgq_node.create_node('q', 'branch', 'here', 'worker', 'root', 100, null);
     select londiste.global_add_table('q', 'loading');
     select londiste.local_add_table('q', 'loading');
     update londiste.table_info set merge_state = 'in-copy'`,
    [],
    "shop",
  );
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
});

test("a script that does not get its lock tries again while a copy has the table, and fails when it is somebody else", async () => {
  await using copy = await Database.open(connstr);
  await using target = await Database.open(connstr);
  const inTheWay: string[] = [];
  const run = (name: string) =>
    runScript({
      db: target,
      log: silentLog,
      queueName: "q",
      isRoot: false,
      lockTimeoutSeconds: 0.1,
      script: {
        name,
        sql: "alter table loading add column if not exists w int;",
        attributes: parseScriptAttributes(null),
      },
      isWorthWaiting: async () => {
        const tables = await tablesBeingLoaded(target, "q");
        inTheWay.push(tables.join());
        if (inTheWay.length === 2) {
          await copy.execute("update londiste.table_info set merge_state = 'catching-up'");
          await copy.commit();
        }
        return tables.length > 0;
      },
    });
  // of a transaction that loads all, of a stream, and of one that builds an index
  for (const mode of ["access exclusive", "row exclusive", "share"]) {
    inTheWay.length = 0;
    await target.execute("update londiste.table_info set merge_state = 'in-copy'");
    await target.commit();
    await copy.execute(`lock table loading in ${mode} mode`);
    assert.equal(await run(`${mode}.sql`), "executed");
    await target.commit();
    assert.deepEqual(inTheWay, ["public.loading", "public.loading"], mode);
  }
  await copy.execute("lock table loading in access exclusive mode");
  await assert.rejects(run("last.sql"), /last\.sql: line 1: .*lock timeout/);
  assert.equal(inTheWay.at(-1), "");
});

test("a script goes back to savepoints of its own, on subscribers too", async () => {
  await using target = await Database.open(connstr);
  const sql = `create table kept (id int);
    savepoint a;
    create table undone (id int);
    rollback to savepoint a;
    release a;
    insert into kept values (1);`;
  const outcome = await runScript({
    db: target,
    log: silentLog,
    queueName: "q",
    isRoot: false,
    lockTimeoutSeconds: 5,
    script: { name: "savepoints.sql", sql, attributes: parseScriptAttributes(null) },
    isWorthWaiting: async () => true,
  });
  await target.commit();
  assert.equal(outcome, "executed");
  const made = await target.query(
    "select to_regclass('undone') as undone, (select count(*) from kept)::int as rows",
  );
  assert.deepEqual(made, [{ undone: null, rows: 1 }]);
});

test("a script that drops, renames or retypes a column disturbs a copy, as do new rules and new values; an empty column does not", async () => {
  await using target = await Database.open(connstr);
  const found: (string | undefined)[] = [];
  const scripts = [
    "alter table shaped add n int, drop constraint shaped_v_check",
    "alter table shaped drop column c",
    "alter table shaped rename column c to d",
    "alter table shaped alter column v type varchar(20)",
    "alter table shaped alter column v set not null",
    "alter table shaped add n int not null default 7; alter table shaped alter column n drop default",
    "alter table shaped add n int default 7; alter table shaped alter column n drop default",
    "create unique index on shaped (v)",
    "update shaped set v = 'y'",
    "drop table shaped",
  ];
  for (const script of scripts) {
    await target.execute(
      "create table shaped (id int primary key, v varchar(9) check (v <> ''), c int); insert into shaped values (1, 'x')",
    );
    const before = (await tableMarks(target, ["public.shaped"])).get("public.shaped");
    await target.execute(script);
    const after = (await tableMarks(target, ["public.shaped"])).get("public.shaped");
    found.push(disturbance(before, after));
    await target.rollback();
  }
  assert.deepEqual(found, [undefined, ...Array.from({ length: 7 }, () => "structure"), "rows", "structure"]);
});
