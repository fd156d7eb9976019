import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  type Cluster,
  type ProgramResult,
  runProgram,
  startCluster,
  startProgram,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";

describe("pgqadm", () => {
  let cluster: Cluster;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let file: string;

  before(async () => {
    cluster = await startCluster();
    directory = await temporaryDirectory("pgqadm");
    file = join(directory.path, "adm.ini");
    const connstr = await cluster.createDatabase("db");
    writeFileSync(
      file,
      `[pgqadm]\ndb = ${connstr}\nloop_delay = 0.05\nmaint_delay_min = 0.001\nretry_delay = 0.05\n`,
    );
    await succeeds("install");
  });
  after(async () => {
    await directory[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const run = (...words: string[]): Promise<ProgramResult> => runProgram("pgqadm", [file, ...words]);

  async function succeeds(...words: string[]): Promise<ProgramResult> {
    const result = await run(...words);
    assert.equal(result.code, 0, result.stderr);
    return result;
  }

  async function fails(message: RegExp, ...words: string[]): Promise<void> {
    const result = await run(...words);
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, message);
    assert.equal(result.stdout, "");
  }

  it("installs other modules, and says which there are", async () => {
    assert.equal((await succeeds("install", "pgq_ext", "--dry-run")).stdout, "install module pgq_ext\n");
    assert.match((await succeeds("install", "pgq_ext")).stderr, /installing pgq_ext/);
    await fails(/there is no module pgqext\nHINT: Modules are .*pgq_ext/, "install", "pgqext");
  });

  it("creates and drops queues, and says what was there already", async () => {
    assert.deepEqual((await succeeds("create", "it's", "--dry-run")).stdout, "create queue it's\n");
    assert.match((await succeeds("create", "it's")).stderr, /INFO queue it's created/);
    assert.match((await succeeds("create", "it's")).stderr, /INFO queue it's exists already/);
    assert.match(
      (await succeeds("register", "it's", "c")).stderr,
      /INFO consumer c registered on queue it's/,
    );
    await fails(/db on .* has no queue other\nHINT: status lists/, "register", "other", "c");
    await fails(/db on .* has no queue other/, "unregister", "other", "c");
    await fails(/db on .* has no queue other/, "drop", "other");
    await fails(/cannot drop queue, consumers still attached/, "drop", "it's");
    assert.match((await succeeds("unregister", "it's", "c")).stderr, /INFO consumer c unregistered/);
    assert.match((await succeeds("unregister", "it's", "c")).stderr, /INFO consumer c was not registered/);
    await succeeds("register", "it's", "c");
    await succeeds("drop", "it's", "--force");
    assert.deepEqual(await cluster.query("select from pgq.queue", [], "db"), []);
  });

  it("shows and sets the parameters of queues, all or none of them", async () => {
    await succeeds("create", "q");
    assert.match((await succeeds("config", "q")).stdout, /^q\n {4}ticker_max_count = 500\n/);
    await succeeds("config", "q", "ticker_max_count=7", "queue_ticker_max_lag=2 seconds");
    const [queue] = JSON.parse((await succeeds("config", "--json")).stdout) as Record<string, string>[];
    assert.deepEqual([queue?.queue, queue?.ticker_max_count, queue?.ticker_max_lag], ["q", "7", "00:00:02"]);
    await fails(
      /has no parameter "ticker_max_cuont"\n.*ticker_max_count/s,
      "config",
      "q",
      "ticker_max_cuont=7",
    );
    await fails(/"nonsense" is not of the form parameter=value/, "config", "q", "nonsense");
    await fails(/db on .* has no queue nosuch/, "config", "nosuch");
    await fails(/interval/, "config", "q", "ticker_max_count=8", "rotation_period=often");
    assert.match((await succeeds("config", "q")).stdout, /ticker_max_count = 7\n/);
    await succeeds("drop", "q");
  });

  it("shows queues and consumers in columns, also without any events", async () => {
    await succeeds("create", "q");
    await succeeds("register", "q", "reader");
    const { stdout } = await succeeds("status");
    assert.match(stdout, /^Postgres version: \d+\S* {3}PgQ version: \d/);
    assert.match(stdout, /^Event queue {22} {2}Rotation {8}Ticker {3}TLag {4}EPS {4}New\n-{78}\n/m);
    assert.match(stdout, /^q {32} {3}3\/7200s {4}500\/3s\/60s {4,5}\d+s {3}NULL {6}0$/m);
    assert.match(stdout, /^q:\n {2}reader {40} {7,8}\d+s {7,8}\d+s {9}0$/m);
    const report = JSON.parse((await succeeds("status", "--json")).stdout) as {
      queues: { queue: string }[];
      consumers: { consumer: string }[];
    };
    assert.deepEqual([report.queues[0]?.queue, report.consumers[0]?.consumer], ["q", "reader"]);
    await succeeds("drop", "q", "--force");
  });

  it("ticks, maintains and moves retried events", async () => {
    await succeeds("create", "q");
    await succeeds("config", "q", "ticker_max_lag=0", "ticker_idle_period=0", "rotation_period=0");
    await succeeds("register", "q", "c");
    await cluster.query(
      "select pgq.event_retry_raw('q', 'c', now(), null, now(), 0, 't', 'd', null, null, null, null)",
      [],
      "db",
    );
    await using daemon = startProgram("pgqadm", [file, "ticker"]);
    await waitFor("ticks, a rotation and the retried event", async () => {
      await cluster.query(
        "select pgq.finish_batch((select batch_id from pgq.next_batch_info('q', 'c')))",
        [],
        "db",
      );
      const [row] = await cluster.query<{ ticks: number; tables: number; parked: number }>(
        `select last_tick_id::int4 as ticks, queue_cur_table as tables,
                (select count(*)::int4 from pgq.retry_queue) as parked from pgq.get_queue_info('q')`,
        [],
        "db",
      );
      return row!.ticks >= 5 && row!.tables > 0 && row!.parked === 0;
    });
    daemon.signal("SIGINT");
    assert.deepEqual(await daemon.exit, { code: 0, signal: null });
    assert.doesNotMatch(daemon.stderrText(), /ERROR/);
  });
});
