import { Database } from "@skytools/skytools";
import { moduleDatabase } from "@skytools/testbed";
import { timed } from "../measure.ts";
import { compiledPgqDatabase, originalPgqBinDir } from "../peer/original-pgq.ts";
import type { BenchOptions, Contest, Contestant, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";
import { truncateEvents } from "./capture.ts";

const oneEvent = "perform pgq.insert_event('bench', 'type', 'some event data of a usual length: ' || i)";

/** Events a second into a queue through the SQL functions. */
export const insert: Scenario = {
  name: "insert",
  summary: "events a second through pgq.insert_event, one and a thousand a transaction, and in bulk",
  async *contests(options: BenchOptions): AsyncIterable<Contest> {
    await using server = await benchServer({ preferOriginal: true });
    const ours = await moduleDatabase(server, ["pgq"]);
    const compiled = originalPgqBinDir() === undefined ? undefined : await compiledPgqDatabase(server);
    for (const connstr of [ours, ...(compiled === undefined ? [] : [compiled])]) {
      await using database = await Database.open(connstr, { autocommit: true });
      await database.execute("select pgq.create_queue('bench')");
    }
    const events = Math.max(1000, Math.round(20_000 * options.scale));
    const pair = (prefix: string, sql: string): Contestant[] => [
      ...(compiled === undefined ? [] : [contestant(`C ${prefix}`, compiled, events, sql)]),
      contestant(`ours ${prefix}`, ours, events, sql),
    ];
    const single = "insert_event, one a transaction";
    yield {
      title: single,
      unit: "events",
      baseline: `${compiled === undefined ? "ours" : "C"} ${single}`,
      contestants: pair(
        single,
        `do $$ begin for i in 1..${events} loop ${oneEvent}; commit; end loop; end $$`,
      ),
    };
    const thousand = "insert_event, 1000 a transaction";
    yield {
      title: `${thousand}, and bulk`,
      unit: "events",
      baseline: `${compiled === undefined ? "ours" : "C"} ${thousand}`,
      contestants: [
        ...pair(
          thousand,
          `do $$ begin for i in 1..${events} loop ${oneEvent};
             if i % 1000 = 0 then commit; end if; end loop; end $$`,
        ),
        contestant(
          "ours insert_events, 1000 a call",
          ours,
          events,
          `do $$ begin for n in 0..${events / 1000 - 1} loop
             perform pgq.insert_events('bench',
               (select array_agg('type'::text) from generate_series(1, 1000)),
               (select array_agg('some event data of a usual length: ' || i) from generate_series(1, 1000) i));
             commit; end loop; end $$`,
        ),
      ],
    };
  },
};

function contestant(name: string, connstr: string, events: number, sql: string): Contestant {
  return {
    name,
    async run() {
      await using database = await Database.open(connstr, { autocommit: true });
      const sample = await timed(events, () => database.execute(sql));
      await truncateEvents(database);
      return sample;
    },
  };
}
