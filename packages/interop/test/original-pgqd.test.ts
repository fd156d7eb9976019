import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Cluster, moduleDatabase, startCluster, startProgram, waitFor } from "@skytools/testbed";
import { pgqdFile } from "./fixture/ini-file.js";
import { original, skipWithout } from "./fixture/originals.js";
import { busyQueue, consumeAll, insertEvents, newestTick } from "./fixture/queue.js";

describe("the original pgqd on our PgQ", { skip: skipWithout("pgqd") }, () => {
  it("ticks, rotates and brings parked events back", async () => {
    await using cluster = await startCluster({ binDir: original.binDir });
    await moduleDatabase(cluster, ["pgq"], "ours");
    await busyQueue(cluster, "ours");
    await cluster.query("select pgq.register_consumer('q', 'c')", [], "ours");
    await cluster.query("select pgq.set_queue_config('q', 'rotation_period', '500 ms')", [], "ours");
    await using ini = await pgqdFile(cluster, { database_list: "ours", ticker_period: 0.4 });
    await using daemon = startProgram(original.pgqd, [ini.file]);

    const switchTimes = new Set<string>();
    const before = await newestTick(cluster, "ours");
    await waitFor("five ticks", async () => (await newestTick(cluster, "ours")) >= before + 5, {
      onTimeout: () => daemon.outputTail(),
    });

    const expected = await insertEvents(cluster, "ours", "first", 25);
    await parkEvents(cluster, "ours", expected.slice(0, 12));
    const seen: string[] = [];
    await waitFor("the parked events", async () => {
      seen.push(...(await consumeAll(cluster, "ours")));
      return seen.length >= 12;
    });
    assert.deepEqual(seen.toSorted(), expected.slice(0, 12).toSorted());

    await waitFor(
      "two rotations",
      async () => {
        await consumeAll(cluster, "ours");
        switchTimes.add(await switchTime(cluster, "ours"));
        return switchTimes.size > 2;
      },
      { onTimeout: () => daemon.outputTail() },
    );
    await daemon.waitForOutput(/\[ours\]: pgq version ok: 4/);
    assertQuiet(daemon.stderrText());
  });

  it("finds the databases by itself, also one that appears later", async () => {
    await using cluster = await startCluster({ binDir: original.binDir });
    await cluster.createDatabase("bare");
    await moduleDatabase(cluster, ["pgq"], "first");
    await busyQueue(cluster, "first");
    await using ini = await pgqdFile(cluster);
    await using daemon = startProgram(original.pgqd, [ini.file]);
    await waitFor("ticks of the first", async () => (await newestTick(cluster, "first")) > 3);
    await moduleDatabase(cluster, ["pgq"], "second");
    await busyQueue(cluster, "second");
    await waitFor("ticks of the second", async () => (await newestTick(cluster, "second")) > 3, {
      onTimeout: () => daemon.outputTail(),
    });
    assertQuiet(daemon.stderrText());
  });

  it("carries out the maintenance of a cascaded node with londiste", async () => {
    await using cluster = await startCluster({ binDir: original.binDir });
    await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"], "ours");
    await cluster.query(
      `select pgq_node.register_location('q', 'oslo', 'dbname=ours', false);
       select pgq_node.create_node('q', 'root', 'oslo', 'oslo_worker', null, null, null);
       create sequence public.counter;
       select londiste.local_add_seq('q', 'public.counter');
       select setval('public.counter', 50000);
       update pgq.tick set tick_time = tick_time - interval '1 hour';
       create table public.maintained (queue text);
       create function public.own_maintenance(queue text) returns integer language sql as
         $$ insert into public.maintained values (queue); select 0 $$;
       update pgq.queue set queue_extra_maint = '{own_maintenance}'`,
      [],
      "ours",
    );
    await using ini = await pgqdFile(cluster);
    await using daemon = startProgram(original.pgqd, [ini.file]);
    const wanted = `
      select (select count(*) > 1 from public.maintained where queue = 'q')
         and (select max(ev_data::int4) > 50000 from pgq.event_template where ev_type = 'londiste.update-seq')
         and (select count(*) > 0 from pgq.event_template where ev_type = 'pgq.global-watermark') as done`;
    await waitFor(
      "all kinds of maintenance",
      async () => (await cluster.query<{ done: boolean }>(wanted, [], "ours"))[0]!.done,
      { onTimeout: () => daemon.outputTail() },
    );
    assertQuiet(daemon.stderrText());
  });

  it("needs no more rights than those of pgq_admin", async () => {
    await using cluster = await startCluster({ binDir: original.binDir });
    await moduleDatabase(cluster, ["pgq"], "ours");
    await cluster.query("create role ticker login in role pgq_admin", [], "ours");
    await busyQueue(cluster, "ours");
    await cluster.query("select pgq.register_consumer('q', 'c')", [], "ours");
    await cluster.query("select pgq.set_queue_config('q', 'rotation_period', '0')", [], "ours");
    await using ini = await pgqdFile(cluster, { database_list: "ours" }, "ticker");
    await using daemon = startProgram(original.pgqd, [ini.file]);
    const expected = await insertEvents(cluster, "ours", "first", 3);
    await parkEvents(cluster, "ours", expected);
    const seen: string[] = [];
    await waitFor(
      "the parked events and a rotation",
      async () => {
        seen.push(...(await consumeAll(cluster, "ours")));
        return seen.length === 3 && (await currentTable(cluster, "ours")) > 0;
      },
      { onTimeout: () => `${seen.join(", ")}${daemon.outputTail()}` },
    );
    assertQuiet(daemon.stderrText());
  });
});

/** Parks the events of the next batch, which are to be `count` in number, and finishes it. */
async function parkEvents(cluster: Cluster, database: string, data: readonly string[]): Promise<void> {
  const batch = await waitFor("a batch with the events", async () => {
    const [open] = await cluster.query<{ batch: string | null; events: number }>(
      `select b.batch, (select count(*)::int4 from pgq.get_batch_events(b.batch)) as events
         from (select pgq.next_batch('q', 'c') as batch offset 0) b where b.batch is not null`,
      [],
      database,
    );
    if (open === undefined) return undefined;
    if (open.events > 0) return open.batch;
    await cluster.query("select pgq.finish_batch($1)", [open.batch], database);
    return undefined;
  });
  await cluster.query(
    `select pgq.event_retry($1::int8, ev_id, 0) from pgq.get_batch_events($1::int8) where ev_data = any ($2)`,
    [batch, data],
    database,
  );
  await cluster.query("select pgq.finish_batch($1)", [batch], database);
}

async function currentTable(cluster: Cluster, database: string): Promise<number> {
  const sql = "select queue_cur_table as number from pgq.queue";
  return (await cluster.query<{ number: number }>(sql, [], database))[0]!.number;
}

/** When the queue went over to its current table: different after each rotation, however many there were since the last look. */
async function switchTime(cluster: Cluster, database: string): Promise<string> {
  const sql = "select queue_switch_time::text as time from pgq.queue";
  return (await cluster.query<{ time: string }>(sql, [], database))[0]!.time;
}

function assertQuiet(log: string): void {
  assert.doesNotMatch(log, /ERROR|WARN|FATAL/);
}
