import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { moduleSql } from "@skytools/sql";
import { type Cluster, moduleDatabase, startCluster, waitFor } from "@skytools/testbed";
import { busyQueue, Configuration, clusterLines, dropPgq, newestTick } from "./fixture.js";
import { httpAddress } from "./monitored-daemon.js";

describe("pgqd and the databases of an instance", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
    for (const name of ["one", "two"]) {
      await moduleDatabase(cluster, ["pgq"], name);
      await busyQueue(cluster, name);
    }
    await cluster.createDatabase("plain");
  });
  after(() => cluster[Symbol.asyncDispose]());

  async function ticksGoOn(database: string): Promise<void> {
    const from = await newestTick(cluster, database);
    await waitFor(`ticks in ${database}`, async () => (await newestTick(cluster, database)) >= from + 3);
  }

  it("ticks every database that has PgQ", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    await using daemon = configuration.start();
    await Promise.all([ticksGoOn("one"), ticksGoOn("two")]);
    await daemon.waitForOutput(/LOG \[one\]: pgq version ok: \d/);
    const statistics = await daemon.waitForOutput(/LOG \{ticks: (\d+), maint: (\d+), retry: (\d+)\}/);
    assert.ok(Number(statistics[1]) > 0);
    assert.doesNotMatch(daemon.stderrText(), /ERROR|WARNING|plain/);
  });

  it("finds databases and PgQ that come while it runs, and leaves those that go", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    await using daemon = configuration.start();
    await ticksGoOn("one");
    await moduleDatabase(cluster, ["pgq"], "three");
    await busyQueue(cluster, "three");
    await ticksGoOn("three");

    await dropPgq(cluster, "three");
    await daemon.waitForOutput(/ERROR \[three\]: ticker: /);

    await cluster.dropDatabase("three");
    await daemon.waitForOutput(/LOG Unregister database: \[three\]/);
    await ticksGoOn("one");
  });

  it("starts and stops maintenance with PgQ", async () => {
    await cluster.createDatabase("later");
    await using configuration = await Configuration.forCluster(cluster);
    await using daemon = configuration.start(["-v"]);
    await daemon.waitForOutput(/DEBUG \[later\]: no pgq/);
    await cluster.query(await moduleSql("pgq"), [], "later");
    await busyQueue(cluster, "later");
    await ticksGoOn("later");
    await daemon.waitForOutput(/DEBUG \[later\]: pgq is there/);
    await dropPgq(cluster, "later");
    await daemon.waitForOutput(/DEBUG \[later\]: pgq is not there/);
    await cluster.dropDatabase("later");
  });

  it("looks after listed databases only, and one that is missing does not disturb the others", async () => {
    await using configuration = await Configuration.forCluster(cluster, ["database_list = missing, two"]);
    await waitFor("the sessions of the pgqd before to end", async () => {
      const rows = await cluster.query("select from pg_stat_activity where application_name = 'pgqd'");
      return rows.length === 0;
    });
    const oneBefore = await newestTick(cluster, "one");
    await using daemon = configuration.start();
    await daemon.waitForOutput(/ERROR \[missing\]: ticker: could not connect to database "missing"/);
    await ticksGoOn("two");
    assert.equal(await newestTick(cluster, "one"), oneBefore);
    const complaints = daemon.stderrText().match(/ERROR \[missing\]/g);
    assert.equal(complaints?.length, 1);
  });

  it("needs no more rights than the role pgq_admin gives", async () => {
    await cluster.query("create role ticker login in role pgq_admin");
    const [connection, ...periods] = clusterLines(cluster);
    await using configuration = await Configuration.create([
      connection!.replace("user=postgres", "user=ticker"),
      ...periods,
      "http_listen = 0",
      "metrics_period = 0.2",
    ]);
    await using daemon = configuration.start();
    await ticksGoOn("one");
    await waitFor("figures", async () => {
      const metrics = await fetch(`${await httpAddress(daemon)}/metrics`);
      return /^pgq_queue_tick_age_seconds\{database="one",queue="q"\} /m.test(await metrics.text());
    });
    await daemon.waitForOutput(/LOG \{ticks: \d+, maint: [1-9]\d*, retry: 0\}/);
    assert.doesNotMatch(daemon.stderrText(), /ERROR|WARNING/);
  });

  it("is not delayed by a database whose ticker hangs", async () => {
    await using configuration = await Configuration.forCluster(cluster);
    await cluster.query(
      `create function pgq.hang() returns trigger language plpgsql as $$
       begin perform pg_sleep(3600); return new; end $$;
       create trigger hang before insert on pgq.tick for each row execute function pgq.hang()`,
      [],
      "two",
    );
    await using daemon = configuration.start();
    await ticksGoOn("one");
    await waitFor("the hanging ticker", async () => {
      const rows = await cluster.query(
        "select from pg_stat_activity where datname = 'two' and wait_event = 'PgSleep'",
      );
      return rows.length > 0;
    });
    await ticksGoOn("one");
    daemon.signal("SIGTERM");
    await daemon.exit;
    await cluster.terminateBackends({ database: "two" });
    await cluster.query("drop function pgq.hang() cascade", [], "two");
  });

  it("moves retry events and runs maintenance, past an operation that fails", async () => {
    await cluster.query("select pgq.register_consumer('q', 'c')", [], "one");
    await cluster.query("select pgq.insert_event('q', 't', 'd')", [], "one");
    await cluster.query(
      `select pgq.event_retry_raw('q', 'c', now(), null, now(), 0, 't', 'd', null, null, null, null)`,
      [],
      "one",
    );
    await cluster.query(
      `create table public.rounds (at timestamptz default clock_timestamp());
       create function public.broken(queue_name text) returns int4 language plpgsql as $$ begin raise 'broken on purpose'; end $$;
       create function public.counted(queue_name text) returns int4 language sql as $$ insert into public.rounds default values returning 0 $$;
       update pgq.queue set queue_extra_maint = array['public.broken', 'public.counted']`,
      [],
      "one",
    );
    await using configuration = await Configuration.forCluster(cluster);
    await using daemon = configuration.start();
    await waitFor("the retried event", async () => {
      const rows = await cluster.query("select from pgq.retry_queue", [], "one");
      return rows.length === 0;
    });
    await waitFor(
      "maintenance rounds",
      async () => {
        const [row] = await cluster.query<{ rounds: number }>(
          "select count(*)::int4 as rounds from public.rounds",
          [],
          "one",
        );
        return row!.rounds >= 2;
      },
      { onTimeout: () => daemon.outputTail() },
    );
    await daemon.waitForOutput(/ERROR \[one\]: maintenance: public\.broken\(q\): broken on purpose/);
    await daemon.waitForOutput(/LOG \{ticks: \d+, maint: [1-9]\d*, retry: \d+\}/);
    await daemon.waitForOutput(/LOG \{ticks: \d+, maint: \d+, retry: 1\}/);
  });
});
