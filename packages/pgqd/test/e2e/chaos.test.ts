import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { moduleSql } from "@skytools/sql";
import { type Cluster, moduleDatabase, startCluster, TcpProxy, waitFor } from "@skytools/testbed";
import { busyQueue, Configuration, clusterLines, dropPgq, newestTick } from "./fixture.js";
import { impatient, type MonitoredDaemon, monitored } from "./monitored-daemon.js";

/** Whatever happens to server, network and databases, pgqd goes on by itself, and its health tells the truth meanwhile. */
describe("pgqd in trouble", () => {
  let cluster: Cluster;
  let proxy: TcpProxy;
  let daemon: MonitoredDaemon;

  before(async () => {
    cluster = await startCluster();
    proxy = await TcpProxy.start(cluster);
    await moduleDatabase(cluster, ["pgq"], "db");
    await busyQueue(cluster, "db");
    await cluster.query("select pgq.register_consumer('q', 'c')", [], "db");
    const periods = clusterLines(cluster).slice(1);
    daemon = await monitored(await Configuration.create([]), proxy, impatient, [
      ...periods,
      "stall_period = 0.5",
    ]);
    await ticksGoOn();
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  function isHealthy(): Promise<unknown> {
    return waitFor("health", async () => (await daemon.get("/health")).status === 200, {
      onTimeout: () => daemon.program.outputTail(),
    });
  }

  async function saysWhy(reason: RegExp): Promise<void> {
    await waitFor(`503 with ${reason}`, async () => {
      const { status, text } = await daemon.get("/health");
      return status === 503 && reason.test(text);
    });
  }

  async function ticksGoOn(): Promise<void> {
    const from = await newestTick(cluster, "db");
    await waitFor("ticks", async () => (await newestTick(cluster, "db")) >= from + 3, {
      onTimeout: () => daemon.program.outputTail(),
    });
  }

  /** Every event inserted so far comes once, in order, in batches that follow on each other. */
  async function nothingIsSkipped(events: readonly string[]): Promise<void> {
    const received: string[] = [];
    await waitFor(`${events.length} events`, async () => {
      const [batch] = await cluster.query<{ id: string | null }>(
        "select pgq.next_batch('q', 'c') as id",
        [],
        "db",
      );
      if (batch!.id === null) return false;
      const rows = await cluster.query<{ ev_data: string }>(
        "select ev_data from pgq.get_batch_events($1)",
        [batch!.id],
        "db",
      );
      received.push(...rows.map((row) => row.ev_data));
      await cluster.query("select pgq.finish_batch($1)", [batch!.id], "db");
      return received.length >= events.length;
    });
    assert.deepEqual(received, events);
  }

  async function insert(data: string): Promise<string> {
    await cluster.query("select pgq.insert_event('q', 't', $1)", [data], "db");
    return data;
  }

  it("goes on after the server crashed, its connections were ended, and the network was cut", async () => {
    const events = [await insert("before")];
    await cluster.killHard();
    await saysWhy(/\[db\]: not ticked for \d+ s: /);
    await cluster.start();
    events.push(await insert("after the crash"));
    await ticksGoOn();
    await cluster.terminateBackends({ applicationName: "pgqd" });
    events.push(await insert("after the end of all sessions"));
    await ticksGoOn();
    proxy.cut();
    events.push(await insert("after the cut"));
    await ticksGoOn();
    await isHealthy();
    await nothingIsSkipped(events);
  });

  it("ticks again as soon as any of its connections has reached the server, however long the ticker's own would wait", async () => {
    const soonMs = 900;
    await waitFor("ticks sooner than a second after a cut", async () => {
      await ticksGoOn();
      proxy.cut();
      const cutAt = performance.now();
      const from = await newestTick(cluster, "db");
      await waitFor("a tick", async () => (await newestTick(cluster, "db")) > from + 1);
      return performance.now() - cutAt < soonMs;
    });
  });

  it("goes on when the network has forgotten its connections", async () => {
    await ticksGoOn();
    proxy.strand();
    const stranded = performance.now();
    await ticksGoOn();
    assert.ok(performance.now() - stranded < 60_000);
    assert.match(
      daemon.program.stderrText(),
      /WARNING \[db\]: ticker: the server's answer did not arrive, closing/,
    );
    await isHealthy();
  });

  it("says that the network is dead while no byte passes, and goes on when it lives again", async () => {
    proxy.pause();
    await saysWhy(/\[db\]: not ticked for \d+ s/);
    proxy.cut();
    proxy.resume();
    await ticksGoOn();
    await isHealthy();
  });

  it("lets a tick that waits for a lock wait, says so, and goes on behind it", async () => {
    const holder = cluster
      .query("lock table pgq.tick in exclusive mode; select pg_sleep(3600)", [], "db")
      .catch(() => undefined);
    await daemon.program.waitForOutput(
      /WARNING \[db\]: ticker: a statement takes long, it waits for Lock relation/,
    );
    await saysWhy(/\[db\]: not ticked for \d+ s/);
    await waitFor("one statement to wait", async () => {
      const waiting = await cluster.query("select from pg_stat_activity where wait_event_type = 'Lock'");
      return waiting.length === 1;
    });
    await cluster.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like 'lock table%' and pid <> pg_backend_pid()",
    );
    await holder;
    await ticksGoOn();
    await isHealthy();
  });

  it("ticks on after the clock was set back", async () => {
    await cluster.query(
      `select pgq.set_queue_config('q', 'ticker_max_lag', '1 second'), pgq.set_queue_config('q', 'ticker_idle_period', '1 second');
       update pgq.tick set tick_time = tick_time + interval '1 hour'`,
      [],
      "db",
    );
    await ticksGoOn();
  });

  it("follows PgQ and databases that go and come", async () => {
    await dropPgq(cluster, "db");
    await waitFor("db to count no more", async () => {
      const { text } = await daemon.get("/health");
      return /"database": "db",\s+"status": "ignored",\s+"reason": "no PgQ"/.test(text);
    });
    await waitFor("the rounds of before to end", async () => {
      const rows = await cluster.query(
        "select from pg_stat_activity where application_name = 'pgqd' and datname = 'db'",
      );
      return rows.length === 0;
    });
    const errorsSoFar = () =>
      daemon.program.stderrText().match(/ERROR \[db\]: (maintenance|retry)/g)?.length ?? 0;
    const errors = errorsSoFar();
    await cluster.query(await moduleSql("pgq"), [], "db");
    await busyQueue(cluster, "db");
    await ticksGoOn();
    assert.equal(errorsSoFar(), errors);
    await cluster.dropDatabase("db");
    await daemon.program.waitForOutput(/LOG Unregister database: \[db\]/);
    await moduleDatabase(cluster, ["pgq"], "db");
    await busyQueue(cluster, "db");
    await ticksGoOn();
    await isHealthy();
  });
});
