import { Database } from "@skytools/skytools";
import { moduleDatabase, startCluster } from "@skytools/testbed";
import { timed } from "../measure.ts";
import { compiledPgqDatabase, originalPgqBinDir } from "../peer/original-pgq.ts";
import type { BenchOptions, Contest, Contestant, Scenario } from "../scenario.ts";

const openTransactions = 2000;

/** Events a second out of one big batch, with thousands of transactions open while the ticks were made. */
export const consume: Scenario = {
  name: "consume",
  summary: "events a second out of a batch whose snapshots list 2,000 open transactions",
  async *contests(options: BenchOptions): AsyncIterable<Contest> {
    const binDir = originalPgqBinDir();
    await using server = await startCluster({
      settings: {
        max_prepared_transactions: String(openTransactions + 10),
        shared_buffers: "512MB",
        max_wal_size: "8GB",
      },
      ...(binDir === undefined ? {} : { binDir }),
    });
    const events = Math.max(10_000, Math.round(1_000_000 * options.scale));
    const databases = [{ name: "ours", connstr: await moduleDatabase(server, ["pgq"]) }];
    if (binDir !== undefined) databases.unshift({ name: "C", connstr: await compiledPgqDatabase(server) });
    const contestants: Contestant[] = [];
    for (const { name, connstr } of databases) {
      const batch = await openBatch(connstr, name, events);
      contestants.push({
        name,
        async run() {
          await using database = await Database.open(connstr, { autocommit: true });
          return await timed(events, async () => {
            await database.execute(`select count(ev_data) from pgq.get_batch_events(${batch})`);
          });
        },
      });
    }
    yield {
      title: `get_batch_events, ${events} events, ${openTransactions} transactions open at both ticks`,
      unit: "events",
      baseline: databases[0]!.name,
      contestants,
    };
  },
};

/** Fills a queue between two ticks that both see the open transactions, and opens that batch. */
async function openBatch(connstr: string, name: string, events: number): Promise<bigint> {
  await using database = await Database.open(connstr, { autocommit: true });
  await database.execute("select pgq.create_queue('bench'); select pgq.register_consumer('bench', 'reader')");
  for (let n = 0; n < openTransactions; n++) {
    await database.execute("begin");
    await database.execute("select pgq.insert_event('bench', 'open', '')");
    await database.execute(`prepare transaction '${name}-${n}'`);
  }
  await database.execute("select pgq.ticker('bench')");
  const first = await database.queryValue<bigint>("select pgq.next_batch('bench', 'reader')");
  await database.query("select pgq.finish_batch($1)", [first]);
  await database.execute(`do $$ begin for n in 1..100 loop
    insert into pgq.event_1_0 (ev_id, ev_time, ev_type, ev_data)
      select nextval('pgq.event_1_id_seq'), now(), 'type', 'some event data of a usual length: ' || i
        from generate_series(1, ${events / 100}) i;
    commit; end loop; end $$`);
  await database.execute("select pgq.ticker('bench')");
  await database.execute("vacuum analyze");
  const batch = await database.queryValue<bigint>("select pgq.next_batch('bench', 'reader')");
  for (let n = 0; n < openTransactions; n++) await database.execute(`rollback prepared '${name}-${n}'`);
  if (batch === undefined || batch === null) throw new Error("the queue has no batch to read");
  return batch;
}
