import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Cluster, moduleDatabase, startCluster, waitFor } from "@skytools/testbed";
import { busyQueue, Configuration, clusterLines } from "../e2e/fixture.js";

/* Each call of pgqd is a transaction of the server: killed after any of them, the queue is what it would have been. */

/** Ticks, both steps of rotations, the retry, and more of them. */
const mostStatements = 12;

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});
after(() => cluster[Symbol.asyncDispose]());

/** A queue with a consumer that has put an event aside, for now, and has not come to the next one yet. */
async function queueIn(database: string): Promise<void> {
  await moduleDatabase(cluster, ["pgq"], database);
  await busyQueue(cluster, database);
  const run = (sql: string, parameters: readonly unknown[] = []) => cluster.query(sql, parameters, database);
  await run("select pgq.set_queue_config('q', 'rotation_period', '10 milliseconds')");
  await run("select pgq.register_consumer('q', 'c')");
  await run("select pgq.insert_event('q', 't', data) from unnest('{first,again}'::text[]) data");
  await run("select pgq.ticker('q')");
  await run("select pgq.next_batch('q', 'c')");
  await run(
    `select pgq.event_retry(sub_batch, ev_id, 0) from pgq.subscription, pgq.get_batch_events(sub_batch)
      where ev_data = 'again'`,
  );
  await run("select pgq.finish_batch(sub_batch) from pgq.subscription");
  await run("select pgq.insert_event('q', 't', 'second')");
}

/** What the consumer gets from now on. */
async function received(database: string, count: number): Promise<string[]> {
  const data: string[] = [];
  await waitFor(`${count} events in ${database}`, async () => {
    const [batch] = await cluster.query<{ id: string | null }>(
      "select pgq.next_batch('q', 'c') as id",
      [],
      database,
    );
    if (batch!.id === null) return false;
    const rows = await cluster.query<{ ev_data: string }>(
      "select ev_data from pgq.get_batch_events($1)",
      [batch!.id],
      database,
    );
    await cluster.query("select pgq.finish_batch($1)", [batch!.id], database);
    data.push(...rows.map((row) => row.ev_data));
    return data.length >= count;
  });
  return data.sort();
}

/** Its transaction. */
async function lastRotation(database: string): Promise<number> {
  const [row] = await cluster.query<{ nr: number }>(
    "select queue_switch_step1::int4 as nr from pgq.queue",
    [],
    database,
  );
  return row!.nr;
}

test("pgqd that dies after any of its statements loses nothing and does nothing twice", async () => {
  const of = (database: string) =>
    Configuration.create([...clusterLines(cluster), `database_list = ${database}`]);
  for (const database of ["calm", "killed"]) await queueIn(database);
  await using calm = await of("calm");
  await using undisturbed = calm.start();
  const expected = await received("calm", 2);
  assert.deepEqual(expected, ["again", "second"], undisturbed.outputTail());

  await using killed = await of("killed");
  for (let hit = 1; hit <= mostStatements; hit += 1) {
    await using victim = killed.start([], { SKYTOOLS_CRASH_POINT: `database.after-statement=kill:${hit}` });
    assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
  }
  await using survivor = killed.start();
  assert.deepEqual(await received("killed", 2), expected, survivor.outputTail());
  assert.deepEqual(await cluster.query("select from pgq.retry_queue", [], "killed"), []);
  const rotated = await lastRotation("killed");
  await waitFor(
    "a rotation",
    async () => {
      // Who stands still keeps the tables.
      await cluster.query(
        "select pgq.finish_batch(batch) from pgq.next_batch('q', 'c') batch where batch is not null",
        [],
        "killed",
      );
      return (await lastRotation("killed")) > rotated;
    },
    { onTimeout: () => survivor.outputTail() },
  );
  await cluster.query("select pgq.insert_event('q', 't', 'third')", [], "killed");
  assert.deepEqual(await received("killed", 1), ["third"], survivor.outputTail());
});
