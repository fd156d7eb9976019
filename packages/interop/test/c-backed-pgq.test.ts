import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  batches,
  createQueue,
  getQueueInfo,
  insertEvent,
  insertEvents,
  registerConsumer,
  retryEvent,
  setQueueConfig,
  unregisterConsumer,
} from "@skytools/pgq";
import { Database } from "@skytools/skytools";
import { startCluster, startProgram, waitFor } from "@skytools/testbed";
import { pgqdFile } from "./fixture/ini-file.js";
import { type Installation, originalDatabase } from "./fixture/original-modules.js";
import { original, skipWithout } from "./fixture/originals.js";

const installations: readonly Installation[] = ["extension", "plain"];

describe("our pgqd and our library on the compiled PgQ 3.5", {
  skip: skipWithout("postgresql-15-pgq3"),
}, () => {
  for (const form of installations) {
    it(`deliver every event of a PgQ installed as ${form}, retried ones again, over rotations`, async () => {
      await using cluster = await startCluster({ binDir: original.binDir });
      const connstr = await originalDatabase(cluster, "db", ["pgq"], form);
      await cluster.query("create role ticker login in role pgq_admin");
      await using db = await Database.open(connstr);
      await createQueue(db, "q");
      for (const [name, value] of [
        ["ticker_max_lag", "0"],
        ["ticker_idle_period", "0"],
        ["rotation_period", "300 ms"],
      ] as const) {
        await setQueueConfig(db, "q", name, value);
      }
      await registerConsumer(db, "q", "c");
      await db.commit();
      await using ini = await pgqdFile(cluster, { database_list: "db", ticker_period: 0.25 }, "ticker");
      await using daemon = startProgram("pgqd", [ini.file]);
      await using producer = await Database.open(connstr);

      const expected: string[] = [];
      const seen: string[] = [];
      let rotations = 0;
      let table = 0;
      const stop = AbortSignal.timeout(240_000);
      for await (const batch of batches(db, "q", "c", { idleMs: 20, signal: stop })) {
        const again: bigint[] = [];
        for await (const event of batch.events()) {
          seen.push(`${event.data}/${event.retry ?? 0}`);
          if (event.data?.startsWith("again") === true && event.retry === null) again.push(event.id);
        }
        for (const id of again) await retryEvent(db, batch.info.batchId, id, 0);
        const { currentTable } = (await getQueueInfo(db, "q"))[0]!;
        if (currentTable !== table) rotations += 1;
        table = currentTable;
        if (rotations >= 4 && seen.length === expected.length) break;
        if (rotations < 4) expected.push(...(await produce(producer, expected.length)));
      }
      assert.ok(
        !stop.aborted,
        `${seen.length} of ${expected.length}, ${rotations} rotations${daemon.outputTail()}`,
      );
      assert.deepEqual(seen.toSorted(), expected.toSorted());
      await unregisterConsumer(db, "q", "c");
      assert.doesNotMatch(daemon.stderrText(), /ERROR|WARNING/);
    });
  }

  it("carry out the maintenance of an original cascaded node with londiste", async () => {
    await using cluster = await startCluster({ binDir: original.binDir, settings: { autovacuum: "off" } });
    await originalDatabase(cluster, "db", ["pgq", "pgq_node", "londiste"]);
    await cluster.query(
      `select pgq_node.register_location('q', 'oslo', 'dbname=db', false);
       select pgq_node.create_node('q', 'root', 'oslo', 'oslo_worker', null, null, null);
       create sequence public.counter;
       select londiste.local_add_seq('q', 'public.counter');
       select setval('public.counter', 50000);
       update pgq.tick set tick_time = tick_time - interval '1 hour'`,
      [],
      "db",
    );
    await using ini = await pgqdFile(cluster);
    await using daemon = startProgram("pgqd", [ini.file]);
    const wanted = `
      select (select max(ev_data::int4) > 50000 from pgq.event_template where ev_type = 'londiste.update-seq')
         and (select count(*) > 0 from pgq.event_template where ev_type = 'pgq.global-watermark')
         and (select bool_and(vacuum_count > 0) from pg_stat_user_tables
               where schemaname || '.' || relname in ('pgq.tick', 'pgq.subscription', 'pgq_node.local_state')) as done`;
    await waitFor(
      "all kinds of maintenance",
      async () => (await cluster.query<{ done: boolean }>(wanted, [], "db"))[0]!.done,
      { onTimeout: () => daemon.outputTail() },
    );
    assert.doesNotMatch(daemon.stderrText(), /ERROR|WARNING/);
  });
});

/** Inserts some events one by one and some in bulk, and a few that are to be retried.
 * @returns the deliveries to expect of them, as data and retry count */
async function produce(db: Database, from: number): Promise<string[]> {
  const events = Array.from({ length: 20 }, (_, at) => ({
    type: "t",
    data: `${at % 10 === 0 ? "again" : "event"} ${from + at}`,
  }));
  for (const event of events.slice(0, 5)) await insertEvent(db, "q", event);
  await insertEvents(db, "q", events.slice(5));
  await db.commit();
  return events.flatMap(({ data }) =>
    data.startsWith("again") ? [`${data}/0`, `${data}/1`] : [`${data}/0`],
  );
}
