import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Database } from "@skytools/skytools";
import {
  type Cluster,
  moduleDatabase,
  type ProgramResult,
  runProgram,
  startCluster,
  waitFor,
} from "@skytools/testbed";
import { release2Sql, release2Work } from "./fixture/release-2.js";

interface Line {
  readonly database: string;
  readonly module: string;
  readonly installed: string;
  readonly result: string;
  readonly note: string;
}

describe("skytools_upgrade3 and skytools_doctor3", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());

  const run = (program: string, ...args: readonly string[]): Promise<ProgramResult> =>
    runProgram(program, [
      `--host=${cluster.socketDir}`,
      `--port=${cluster.port}`,
      "--user=postgres",
      ...args,
    ]);
  const upgrade = (...args: readonly string[]) => run("skytools_upgrade3", ...args);
  const doctor = (...args: readonly string[]) => run("skytools_doctor3", ...args);

  async function upgradeLines(
    ...args: readonly string[]
  ): Promise<{ code: number; lines: Line[]; stderr: string }> {
    const { code, stdout, stderr } = await upgrade("--json", ...args);
    return { code, lines: JSON.parse(stdout) as Line[], stderr };
  }

  async function query<T>(database: string, sql: string): Promise<T[]> {
    return (await cluster.query(sql, [], database)).map((row) => Object.values(row)[0] as T);
  }

  async function release2(database: string): Promise<void> {
    await cluster.createDatabase(database);
    for (const sql of [release2Sql, ...release2Work]) await cluster.query(sql, [], database);
  }

  it("makes release 2.1 ours: queue, open batch, parked event, trigger and own grants go on", async () => {
    await release2("two");
    await cluster.query(
      "create role app; grant execute on function pgq.insert_event(text, text, text) to app",
      [],
      "two",
    );
    const dry = await upgradeLines("--dry-run", "two");
    assert.deepEqual(
      [dry.code, dry.lines.map(({ installed, result }) => [installed, result])],
      [0, [["2.1.13", "would upgrade"]]],
    );
    assert.deepEqual(await query("two", "select pgq.version()"), ["2.1.13"]);
    assert.equal((await doctor("two")).code, 3);

    const real = await upgradeLines("two");
    assert.equal(real.code, 0, real.stderr);
    assert.deepEqual(
      real.lines.map(({ result }) => result),
      ["upgraded"],
    );
    const health = await doctor("two");
    assert.deepEqual([health.code, health.stdout], [0, "two\n  pgq 4.0.0: as shipped\n"]);

    assert.deepEqual(await query("two", "select ev_data from pgq.get_batch_events(1)"), ["1", "2", "3"]);
    await cluster.query(
      "insert into public.logged values (2, 'after'); select pgq.finish_batch(1), pgq.maint_retry_events()",
      [],
      "two",
    );
    await cluster.query("select pgq.force_tick('q')", [], "two");
    await cluster.query("select pgq.ticker('q')", [], "two");
    const data = "select ev_data from pgq.get_batch_events((select pgq.next_batch('q', 'c'))) order by ev_id";
    assert.deepEqual(await query("two", data), ["2", "id=1&word=before", "id=2&word=after"]);
    const mayInsert = "select has_function_privilege('app', 'pgq.insert_event(text, text, text)', 'execute')";
    assert.deepEqual(await query("two", mayInsert), [true]);
    assert.deepEqual(
      (await upgradeLines("two")).lines.map(({ result }) => result),
      ["current"],
    );
  });

  it("refuses release 2 while its ticker runs, and what is older still", async () => {
    await release2("ticking");
    await using ticker = await Database.open(cluster.connstr("ticking"), { autocommit: true });
    await ticker.query("select pgq.ticker()");
    const refused = await upgradeLines("ticking");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /a ticker of release 2 runs on ticking/);
    assert.deepEqual(
      refused.lines.map(({ result }) => result),
      ["failed"],
    );
    await cluster.query(
      "create or replace function pgq.version() returns text language sql as $$ select '2.1.5'::text $$",
      [],
      "ticking",
    );
    const old = await upgradeLines("ticking");
    assert.deepEqual([old.code, old.lines.map(({ result }) => result)], [1, ["too old"]]);
    assert.match(old.stderr, /pgq 2\.1\.5 is too old, upgrade it to 2\.1\.8 first/);
  });

  it("leaves Londiste 2 alone and says how to register its tables again", async () => {
    await cluster.createDatabase("old_londiste");
    await cluster.query(
      `create schema londiste;
       create table londiste.provider_table (nr serial, queue_name text, table_name text);
       create table londiste.subscriber_seq (nr serial, queue_name text, seq_name text);
       insert into londiste.provider_table (queue_name, table_name) values ('q', 'public.b'), ('q', 'public.a');
       insert into londiste.subscriber_seq (queue_name, seq_name) values ('r', 'public.s')`,
      [],
      "old_londiste",
    );
    const { code, lines } = await upgradeLines("old_londiste");
    assert.equal(code, 0);
    assert.equal(lines[0]!.result, "left");
    assert.match(lines[0]!.note, /queue q: add-table public\.a public\.b; queue r: add-seq public\.s$/);
  });

  it("does what it can of several databases, reports each and ends with 1", async () => {
    const connstr = await moduleDatabase(cluster, ["pgq", "pgq_ext"], "many_ours");
    await moduleDatabase(cluster, ["pgq", "pgq_ext"], "many_newer");
    await cluster.query(
      `create or replace function pgq.version() returns text language sql as $$ select '99.0'::text $$;
       create or replace function pgq_ext.version() returns text language sql as $$ select '3.1'::text $$`,
      [],
      "many_newer",
    );
    const { code, lines } = await upgradeLines("--force", "none_such", "many_newer", connstr);
    assert.equal(code, 1);
    assert.deepEqual(
      lines.map(({ database, module, result }) => [database, module, result]),
      [
        ["none_such", "-", "failed"],
        ["many_newer", "pgq", "newer"],
        ["many_newer", "pgq_ext", "upgraded"],
        ["many_ours", "pgq", "upgraded"],
        ["many_ours", "pgq_ext", "upgraded"],
      ],
    );
    const all = await upgradeLines("--all", "--not-really");
    assert.deepEqual(new Set(all.lines.map(({ database }) => database)).has("many_ours"), true);
    const table = await upgrade("many_ours");
    assert.match(
      table.stdout,
      /^database +module +installed +shipped +result +note\n-+ .*\nmany_ours +pgq +4\.0\.0 +4\.0\.0 +current/,
    );
  });

  it("gives up on a lock after --lock-timeout, with nothing changed", async () => {
    await moduleDatabase(cluster, ["pgq"], "locked");
    await cluster.query(
      "create or replace function pgq.version() returns text language sql as $$ select '3.5.2'::text $$",
      [],
      "locked",
    );
    await cluster.query("alter table pgq.queue drop column queue_retry_limit", [], "locked");
    const holder = cluster
      .query("begin; lock table pgq.queue in share mode; select pg_sleep(1000)", [], "locked")
      .catch(() => undefined);
    const isHeld =
      "select count(*)::int4 from pg_locks where relation = 'pgq.queue'::regclass and granted and mode = 'ShareLock'";
    await waitFor("the lock", async () => (await query<number>("locked", isHeld))[0] === 1);
    const { code, stderr } = await upgradeLines("--lock-timeout=0.1", "locked");
    assert.equal(code, 1);
    assert.match(stderr, /lock timeout/);
    await cluster.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()",
      [],
      "locked",
    );
    await holder;
    assert.deepEqual(await query("locked", "select pgq.version()"), ["3.5.2"]);
  });

  it("doctor tells what is wrong and what to run, and running it mends it", async () => {
    await moduleDatabase(cluster, ["pgq", "pgq_ext"], "sick");
    await cluster.query(
      `drop function pgq.force_tick(text);
       create or replace function pgq_ext.get_last_tick(a_consumer text) returns int8 language plpgsql as 'begin return 0; end';
       drop index pgq.rq_retry_idx; create table pgq.notes (); grant execute on function pgq.ticker() to public`,
      [],
      "sick",
    );
    const { code, stdout } = await doctor("sick");
    assert.equal(code, 3);
    assert.match(stdout, /^sick\n {2}pgq 4\.0\.0:\n/);
    assert.match(stdout, /\n {4}missing: function pgq\.force_tick\(text\)\n/);
    assert.match(
      stdout,
      /\n {4}different: function pgq_ext\.get_last_tick\(text\)\n {6}body is not that of this release\n/,
    );
    assert.match(stdout, /\n {4}extra: table pgq\.notes\n/);
    const steps = stdout
      .slice(stdout.indexOf("  To do:\n"))
      .split("\n")
      .map((line) => line.trim());
    assert.ok(steps.includes("skytools_upgrade3 --force sick"), stdout);
    for (const step of steps.filter((line) => line.endsWith(";"))) {
      // A grant on what is missing comes with what is missing.
      if (!/force_tick/.test(step)) await cluster.query(step, [], "sick");
    }
    assert.equal((await upgrade("--force", "sick")).code, 0);
    const mended = await doctor("--json", "sick");
    assert.equal(mended.code, 0, mended.stdout);
    const [report] = JSON.parse(mended.stdout) as {
      modules: { findings: { state: string; name: string }[] }[];
    }[];
    assert.deepEqual(
      report!.modules.flatMap(({ findings }) => findings.map(({ state, name }) => `${state} ${name}`)),
      ["extra pgq.notes"],
    );
  });

  it("both say what is wrong with a call", async () => {
    const none = await doctor();
    assert.equal(none.code, 1);
    assert.match(none.stderr, /no database is named/);
    assert.match((await upgrade("--all", "x")).stderr, /--all and names of databases exclude each other/);
    const gone = await doctor("none_such");
    assert.equal(gone.code, 1);
    assert.match(gone.stdout, /^none_such: cannot be looked at: .*does not exist/);
    assert.equal((await doctor("--nonsense")).code, 2);
    await cluster.createDatabase("plain");
    const plain = await doctor("plain");
    assert.deepEqual([plain.code, plain.stdout], [0, "plain: no module installed\n"]);
  });
});
