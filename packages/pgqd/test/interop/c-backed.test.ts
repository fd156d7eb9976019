import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { it } from "node:test";
import { startCluster, waitFor } from "@skytools/testbed";
import { busyQueue, Configuration, newestTick } from "../e2e/fixture.js";
import { httpAddress } from "../e2e/monitored-daemon.js";

const binDir = "/usr/lib/postgresql/15/bin";
const hasOriginal = existsSync("/usr/share/postgresql/15/extension/pgq.control") && existsSync(binDir);

it("ticks, rotates and retries in the original PgQ 3.5", {
  skip: !hasOriginal && "postgresql-15-pgq3 is not installed",
}, async () => {
  await using cluster = await startCluster({ binDir });
  await cluster.createDatabase("original");
  await cluster.query("create extension pgq", [], "original");
  await busyQueue(cluster, "original");
  await cluster.query("select pgq.set_queue_config('q', 'rotation_period', '0')", [], "original");
  await cluster.query("select pgq.register_consumer('q', 'c')", [], "original");
  await cluster.query(
    "select pgq.event_retry_raw('q', 'c', now(), null, now(), 0, 't', 'd', null, null, null, null)",
    [],
    "original",
  );
  await using configuration = await Configuration.forCluster(cluster, [
    "http_listen = 0",
    "metrics_period = 0.3",
  ]);
  await using daemon = configuration.start();
  await daemon.waitForOutput(/LOG \[original\]: pgq version ok: 3\.5/);
  const from = await newestTick(cluster, "original");
  await waitFor("ticks", async () => (await newestTick(cluster, "original")) >= from + 5);
  await waitFor("a rotation and the retried event", async () => {
    await cluster.query(
      "select pgq.finish_batch((select batch_id from pgq.next_batch_info('q', 'c')))",
      [],
      "original",
    );
    const [row] = await cluster.query<{ table: number; parked: number }>(
      "select queue_cur_table as table, (select count(*)::int4 from pgq.retry_queue) as parked from pgq.queue",
      [],
      "original",
    );
    return row!.table > 0 && row!.parked === 0;
  });
  await waitFor("figures", async () => {
    const metrics = await fetch(`${await httpAddress(daemon)}/metrics`);
    return /^pgq_consumer_lag_seconds\{database="original",queue="q",consumer="c"\} /m.test(
      await metrics.text(),
    );
  });
  assert.doesNotMatch(daemon.stderrText(), /ERROR|WARNING/);
});
