import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Database } from "@skytools/skytools";
import { moduleDatabase } from "@skytools/testbed";
import { ConsumerProcess, pythonConsumer } from "../peer/consumer-process.ts";
import type { BenchOptions, Contest, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";

const ourProgram = join(dirname(fileURLToPath(import.meta.url)), "..", "program", "idle-consumer.js");

/** Events a second through a consumer that does nothing with them. */
export const consumer: Scenario = {
  name: "consumer",
  summary: "events a second, and memory, of a consumer that does nothing: ours and python-pgq",
  async *contests(options: BenchOptions): AsyncIterable<Contest> {
    await using server = await benchServer();
    const connstr = await moduleDatabase(server, ["pgq"]);
    const events = Math.max(20_000, Math.round(1_000_000 * options.scale));
    const python = pythonConsumer();
    for (const batchSize of [10_000, events]) {
      const queue = `bench${batchSize}`;
      const start = await fillQueue(connstr, queue, events, batchSize);
      const processes = [
        ...(python === undefined ? [] : [new ConsumerProcess({ ...python, connstr, queue, events, start })]),
        new ConsumerProcess({
          name: "ours",
          command: process.execPath,
          args: [ourProgram],
          connstr,
          queue,
          events,
          start,
        }),
      ];
      yield {
        title: `a consumer that does nothing, ${events} events in batches of ${batchSize}`,
        unit: "events",
        baseline: processes[0]!.name,
        contestants: processes,
      };
    }
  },
};

/** Makes a queue whose events lie between ticks. @returns the first tick */
async function fillQueue(connstr: string, queue: string, events: number, batchSize: number): Promise<bigint> {
  await using database = await Database.open(connstr, { autocommit: true });
  await database.query("select pgq.create_queue($1)", [queue]);
  const table = await database.queryValue<string>("select pgq.current_event_table($1)", [queue]);
  const start = await database.queryValue<bigint>("select last_tick_id from pgq.get_queue_info($1)", [queue]);
  for (let done = 0; done < events; done += batchSize) {
    await database.execute(`insert into ${table} (ev_id, ev_time, ev_type, ev_data, ev_extra1)
      select nextval(queue_event_seq), now(), 'U:id', 'id=' || i || '&name=some+name&balance=' || i * 17, 'public.accounts'
        from pgq.queue, generate_series(1, ${Math.min(batchSize, events - done)}) i where queue_name = '${queue}'`);
    await database.query("select pgq.force_tick($1)", [queue]);
    await database.query("select pgq.ticker($1)", [queue]);
  }
  await database.execute("vacuum analyze");
  return start!;
}
