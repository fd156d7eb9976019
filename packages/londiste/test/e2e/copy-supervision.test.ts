import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { startProgram, waitFor } from "@skytools/testbed";
import { type NodeName, queueName, Replication } from "../fixture/replication.js";

const both = `
  create table good (id int primary key, v text);
  create table bad (id int primary key, v text);
  create table slow (id int primary key, v text);
  create table parent (id int primary key, v text);
  create table child (id int primary key, parent int);
  create table big (id int primary key, v text, w text, u int);
  create table cut (id int primary key, v text);`;

const heldRow = 42;
const holdingLock = 4711;

const onLeaf = `
  alter table bad add constraint no_bad check (v <> 'bad');
  alter table child add constraint to_parent foreign key (parent) references parent on delete cascade;
  create unique index big_u on big (u desc) where u > 0;
  create index big_v on big (v) with (fillfactor = 70);
  alter table big add constraint big_vw unique (v, w) deferrable;
  cluster big using big_pkey;
  alter table big replica identity using index big_pkey;
  comment on index big_v is 'kept';
  create function hold() returns trigger language plpgsql as
    'begin perform pg_advisory_xact_lock_shared(${holdingLock}); return new; end';
  create trigger hold before insert on cut for each row when (new.id = ${heldRow}) execute function hold();
  alter table cut enable always trigger hold;`;

let stage: Replication;

before(async () => {
  stage = await Replication.start(both, { parallel_copies: "1" });
  await stage.run("leaf", onLeaf);
  await stage.run(
    "root",
    `insert into good values (1, 'x'); insert into bad values (1, 'bad');
     insert into slow select g, 'copied' from generate_series(1, 50) g;
     insert into parent values (1, 'p'); insert into child values (1, 1), (2, null);
     insert into big select g, g::text, repeat('w', 60), g from generate_series(1, 60000) g`,
  );
  await stage.createNodes();
  stage.startTicker();
  stage.startWorker("root");
  stage.startWorker("leaf");
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

/** Keys come back when their tables are in sync, in steps of their own. */
async function waitForForeignKey(): Promise<void> {
  await waitFor("the foreign key to be back", async () => {
    const rows = await stage.query(
      "leaf",
      "select from pg_constraint where conname = 'to_parent' and convalidated",
    );
    return (
      rows.length === 1 && (await stage.query("leaf", "select from londiste.pending_fkeys")).length === 0
    );
  });
}

test("a copy that keeps failing says why and gives its slot to the next table", async () => {
  await stage.londiste("root", "add-table", "bad", "good");
  await stage.londiste("leaf", "add-table", "bad", "good");
  await stage.waitForState("public.good", /^ok$/);
  assert.equal((await stage.states())["public.bad"], "in-copy");
  const shown = await waitFor("the reason among the tables", async () => {
    const { stdout } = await stage.londiste("leaf", "tables");
    return /public\.bad +in-copy .*no_bad/.test(stdout) && stdout;
  });
  assert.match(shown, /public\.good +ok/);
  assert.match(stage.log("leaf"), /ERROR copy of public\.bad failed, next try in .*no_bad/);
  await stage.run("leaf", "alter table bad drop constraint no_bad");
  await stage.waitForState("public.bad", /^ok$/);
});

test("foreign keys are away while their tables are copied, and come back validated", async () => {
  await stage.londiste("root", "add-table", "parent", "child");
  await stage.londiste("leaf", "add-table", "child", "parent");
  await stage.waitUntilReplicated();
  await waitForForeignKey();
});

test("indexes, keys and what hangs on them are as before after a copy without them", async () => {
  const shape = `
    select pg_get_indexdef(i.indexrelid) as def, i.indisclustered, i.indisreplident, i.indisvalid,
           (select pg_get_constraintdef(oid) from pg_constraint where conindid = i.indexrelid and conrelid = i.indrelid) as con,
           obj_description(i.indexrelid) as remark
      from pg_index i where i.indrelid = 'big'::regclass order by 1`;
  const before = await stage.query("leaf", shape);
  assert.equal(before.length, 4);
  await stage.londiste("root", "add-table", "big");
  await stage.londiste("leaf", "add-table", "big", "--wait-sync");
  assert.match(stage.log("leaf"), /Dropping big_pkey/);
  assert.deepEqual(await stage.query("leaf", shape), before);
  await stage.londiste("leaf", "compare", "big");
  const listed = await stage.londiste("leaf", "tables", "--json");
  const big = (JSON.parse(listed.stdout) as { name: string; copy: Record<string, unknown> }[]).find(
    (table) => table.name === "public.big",
  );
  assert.equal(big?.copy.phase, "done");
  assert.equal(big?.copy.rows, 60_000);
  assert.equal(big?.copy.snapshotAgeSeconds, null);
});

test("tables tells how far a copy is, when it will be through, and how long it keeps its snapshot", async () => {
  const key = `hashtextextended('londiste copy ' || $1 || ' ' || 'public.big', 0)`;
  await stage.query("leaf", `select pg_advisory_lock(${key})`, [queueName]);
  await stage.query(
    "leaf",
    `update londiste.table_info set merge_state = 'in-copy' where table_name = 'public.big';
     update londiste.copy_progress set end_time = null, phase = 'copying rows', start_time = now() - interval '100 s',
            rows_copied = 500, bytes_copied = 500, total_bytes = 2000, copy_process = 'elsewhere:1'
      where table_name = 'public.big'`,
  );
  const { stdout } = await stage.londiste("leaf", "tables");
  const { stdout: json } = await stage.londiste("leaf", "tables", "--json");
  await stage.query(
    "leaf",
    "update londiste.table_info set merge_state = 'ok' where table_name = 'public.big'",
  );
  await stage.query("leaf", `select pg_advisory_unlock(${key})`, [queueName]);
  assert.match(stdout, /public\.big .*25%, 500 rows, .*, ETA \d+m \d\ds, snapshot held \d+m/);
  const big = (JSON.parse(json) as { name: string; copy: Record<string, number> }[]).find(
    (table) => table.name === "public.big",
  );
  assert.ok(big !== undefined && big.copy.snapshotAgeSeconds! >= 100 && big.copy.remainingSeconds! >= 300);
});

test("a copy does not wait for whoever keeps it from telling how far it is, and may be waiting for it in turn", async () => {
  await using other = await Database.open(stage.connstr("leaf"));
  await other.query("select from londiste.copy_progress where table_name = 'public.good' for update");
  await stage.londiste("leaf", "resync", "good");
  await stage.waitForState("public.good", /^(catching-up|wanna-sync)/, 60_000);
  await other.rollback();
  await stage.waitForState("public.good", /^ok$/);
});

test("a second copy of the same table does not start", async () => {
  const key = `hashtextextended('londiste copy ' || $1 || ' ' || 'public.good', 0)`;
  await stage.query("leaf", `select pg_advisory_lock(${key})`, [queueName]);
  await stage.londiste("leaf", "resync", "good");
  await stage.waitForState("public.good", /^in-copy$/);
  const second = await stage.tryLondiste("leaf", "copy", "good", "--set=pidfile=");
  assert.equal(second.code, 1);
  assert.match(second.stderr, /another copy of table "public\.good" is running/);
  await stage.query("leaf", `select pg_advisory_unlock(${key})`, [queueName]);
  await stage.waitForState("public.good", /^ok$/);
});

test("a consumer that a copy left behind is removed from the provider", async () => {
  await stage.query("root", "select pgq.register_consumer($1, 'shop_leaf.copy.public.gone')", [queueName]);
  await stage.killProcess("leaf worker");
  stage.startWorker("leaf");
  await waitFor("the consumer to be removed", async () => {
    const rows = await stage.query(
      "root",
      "select from pgq.get_consumer_info() where consumer_name like '%.copy.%'",
    );
    return rows.length === 0;
  });
});

test("a consumer is removed that a copy leaves behind which has outlived its worker", async () => {
  await stage.killProcess("leaf worker");
  stage.startWorker("leaf", { SKYTOOLS_CRASH_POINT: "copy.after-take-over=kill" });
  await using holder = await Database.open(stage.connstr("leaf"));
  await holder.execute("lock table good in access share mode");
  await stage.londiste("leaf", "resync", "good");
  await waitFor("the copy to come to the locked table", async () => {
    const waiting = `select from pg_locks where not granted and pid <> ${holder.backendPid}`;
    return (await stage.query("leaf", `${waiting} and relation = 'good'::regclass`)).length > 0;
  });
  await stage.killProcess("leaf worker");
  stage.startWorker("leaf");
  // It looks for what is left behind before it replays.
  await stage.waitForWorker();
  await holder.commit();
  await stage.waitForState("public.good", /^ok$/);
  await stage.waitForCopiesToEnd();
});

test("a table that is removed as its rows have come leaves no consumer of its copy behind", async () => {
  await stage.run("root", `insert into cut values (${heldRow}, 'x')`);
  await using holder = await Database.open(stage.connstr("leaf"), { autocommit: true });
  await holder.query("select pg_advisory_lock($1)", [holdingLock]);
  await stage.londiste("root", "add-table", "cut");
  await stage.londiste("leaf", "add-table", "cut");
  const waits = (what: string) =>
    waitFor(what, async () => {
      const waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and query ~ $1";
      return (await stage.query("leaf", waiting, [what])).length > 0;
    });
  await waits("(?i)^copy ");
  const removal = stage.londiste("leaf", "remove-table", "cut");
  await waits("local_remove_table|_lock_table");
  await holder.query("select pg_advisory_unlock($1)", [holdingLock]);
  await removal;
  await stage.londiste("root", "remove-table", "cut");
  await stage.waitForCopiesToEnd();
  for (const node of ["root", "leaf"] as const) await stage.run(node, "truncate cut");
});

async function assertSlowIsWhole(added: number): Promise<void> {
  await stage.waitForState("public.slow", /^ok$/);
  await stage.query("root", "insert into slow values ($1, 'replayed')", [added]);
  await stage.waitUntilReplicated();
  const rows = "select count(*)::int as rows, max(id) as last from slow";
  assert.deepEqual(await stage.query("leaf", rows), await stage.query("root", rows));
}

test("a worker that reads its configuration anew while a copy process starts does not start another one", async () => {
  const told = (text: RegExp) => (stage.log("leaf").match(text) ?? []).length;
  const reload = async () => {
    const before = told(/Config reloaded/g);
    stage.program("leaf worker").signal("SIGHUP");
    await waitFor("the reload", () => told(/Config reloaded/g) > before);
  };
  const launches = /Launching copy process for public\.good/g;
  // The next copy gets a process of its own.
  await reload();
  const before = told(launches);
  await stage.londiste("leaf", "resync", "good");
  await waitFor("the launch", () => told(launches) > before);
  await reload();
  await stage.waitForState("public.good", /^ok$/);
  assert.equal(told(launches), before + 1);
});

test("a table that is removed and added again while it is copied is copied anew", async () => {
  await stage.londiste("root", "add-table", "slow");
  await using holder = await Database.open(stage.connstr("root"));
  await holder.execute("lock table slow in access exclusive mode");
  await stage.londiste("leaf", "add-table", "slow");
  const waiting = "select pid from pg_locks where not granted and relation = 'slow'::regclass";
  const [first] = await waitFor("the copy to wait for the table", async () => {
    const rows = await stage.query<{ pid: number }>("root", waiting);
    return rows.length > 0 && rows;
  });
  await stage.londiste("leaf", "remove-table", "slow");
  await stage.londiste("leaf", "add-table", "slow");
  await waitFor("another copy to wait for the table", async () => {
    const rows = await stage.query<{ pid: number }>("root", waiting);
    return rows.some((row) => row.pid !== first!.pid);
  });
  assert.match(stage.log("leaf"), /ending the copy of public\.slow/);
  await holder.rollback();
  await assertSlowIsWhole(1001);
});

test("a table whose copy has lost its place in the queue is copied again", async () => {
  await stage.killProcess("leaf worker");
  await stage.query("leaf", "select londiste.local_set_table_state($1, 'public.slow', null, 'catching-up')", [
    queueName,
  ]);
  await stage.query("leaf", "set session_replication_role = replica; delete from slow where id = 7");
  stage.startWorker("leaf");
  await assertSlowIsWhole(1002);
  assert.match(
    stage.log("leaf"),
    /public\.slow: the place of consumer .* is lost, the table is copied again/,
  );
});

test("a copy by hand that -s asks to stop gives up no rows: it brings them in, and the worker goes on from there", async () => {
  await stage.waitForCopiesToEnd();
  await stage.killProcess("leaf worker");
  await stage.query("leaf", "select londiste.local_set_table_state($1, 'public.slow', null, 'in-copy')", [
    queueName,
  ]);
  await using holder = await Database.open(stage.connstr("root"));
  await holder.execute("lock table slow in access exclusive mode");
  await using copy = startProgram("londiste3", ["leaf.ini", "copy", "slow"], { cwd: stage.directory });
  await waitFor("the copy to wait for the table", async () => {
    const rows = await stage.query(
      "root",
      "select from pg_locks where not granted and relation = 'slow'::regclass",
    );
    return rows.length > 0;
  });
  const pidfile = stage.path("leaf.pid.copy.public.slow");
  assert.equal(existsSync(pidfile), true);
  await stage.londiste("leaf", "copy", "slow", "-s");
  await waitFor("the copy to hear of it", () =>
    /got SIGINT, ending after this round/.test(stage.log("leaf")),
  );
  await holder.rollback();
  assert.equal((await copy.exit).code, 0);
  assert.equal(existsSync(pidfile), false);
  assert.equal((await stage.states())["public.slow"], "catching-up");
  const removed = await stage.tryLondiste("leaf", "copy", "nowhere");
  assert.equal(removed.code, 1);
  assert.match(removed.stderr, /ERROR Table public\.nowhere removed from replication/);
  stage.startWorker("leaf");
  await assertSlowIsWhole(1003);
});

test("a table at rest needs no tick to get from copied to handed over, nor does an empty one from added to ok", async (t) => {
  await stage.killProcess("pgqd");
  await stage.run("leaf", "create table empty (id int primary key)");
  await stage.run("root", "create table empty (id int primary key)");
  await stage.londiste("root", "add-table", "empty");
  await stage.londiste("leaf", "add-table", "empty");
  const addedAt = performance.now();
  await stage.waitForState("public.empty", /^ok$/);
  t.diagnostic(`an empty table was ok ${Math.round(performance.now() - addedAt)} ms after it was added`);
  const [at] = await stage.query<{ begin: string }>("leaf", "select clock_timestamp()::text as begin");
  await stage.londiste("leaf", "resync", "good", "slow", "parent");
  await waitFor(
    "three copies to come to their end",
    async () => {
      const ended = await stage.query(
        "leaf",
        "select from londiste.copy_progress where start_time > $1 and end_time > $1",
        [at!.begin],
      );
      return ended.length === 3;
    },
    { onTimeout: () => stage.logTail("leaf") },
  );
});

test("a foreign key that is in use does not hold replay up; its table is copied when it is free", async () => {
  stage.startTicker();
  // The tables have been copied before.
  await waitForForeignKey();
  await using user = await Database.open(stage.connstr("leaf"));
  await user.execute("lock table child in access share mode");
  await stage.londiste("leaf", "resync", "child");
  await waitFor("the worker to give way", () =>
    /public\.child: foreign key to_parent cannot be dropped now/.test(stage.log("leaf")),
  );
  await stage.query("root", "insert into good values (5000, 'meanwhile')");
  await waitFor("replay to go on", async () => {
    const rows = await stage.query("leaf", "select from good where id = 5000");
    return rows.length === 1;
  });
  assert.equal((await stage.states())["public.child"], null);
  await user.rollback();
  await stage.waitForState("public.child", /^ok$/);
});

test("a batch that was applied when the provider died is applied again, not kept without its position", async () => {
  await using writer = await Database.open(stage.connstr("root"));
  await using holder = await Database.open(stage.connstr("leaf"));
  await using other = await Database.open(stage.connstr("leaf"));
  await stage.londiste("root", "add-table", "cut");
  // A row that is both copied and in the queue: the copy needs its snapshot.
  await writer.execute("lock table cut in access exclusive mode; insert into cut values (1, 'copied')");
  await holder.execute("lock table cut in access share mode");
  await stage.londiste("leaf", "add-table", "cut");
  await waitForLock("root", "the copy to be registered", "relation = 'cut'::regclass");
  await writer.commit();
  await waitForLock("leaf", "the copy to have its snapshot", "relation = 'cut'::regclass");
  await stage.query("root", "insert into cut select g, 'replayed' from generate_series(2, 50) g");
  await stage.waitForWorker();
  await other.execute(`select pg_advisory_xact_lock(${holdingLock})`);
  await holder.commit();
  await waitForLock(
    "leaf",
    "the copy to be in its first batch",
    `locktype = 'advisory' and objid = ${holdingLock}`,
  );
  await stage.clusters.root.terminateBackends({ applicationName: "shop_leaf" });
  await other.commit();
  await stage.waitUntilReplicated();
  await stage.londiste("leaf", "compare", "cut");
});

async function waitForLock(name: NodeName, what: string, lock: string): Promise<void> {
  await waitFor(
    what,
    async () => (await stage.query(name, `select from pg_locks where not granted and ${lock}`)).length > 0,
    { onTimeout: () => stage.logTail("leaf") },
  );
}
