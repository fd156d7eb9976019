import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Database } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster } from "@skytools/testbed";
import { BatchChoice } from "#src/cascade/batch-choice.js";
import { cascadeConfig } from "#src/cascade/cascade-config.js";
import type { CascadeRound } from "#src/cascade/cascaded-application.js";
import type { NodeInfo } from "#src/cascade/node-info.js";
import { workerRole } from "#src/cascade/worker-role.js";
import { finishBatch } from "#src/pgq-api.js";
import { type TestJob, testJob } from "../fixture/test-job.js";

let cluster: Cluster;
let source: Database;
let jobOfTest: TestJob;
let choice: BatchChoice;
let firstTick = 0;
/** last tick that was applied, counted from the first one of the test */
let completed = 0;

before(async () => {
  cluster = await startCluster();
  source = await Database.open(await moduleDatabase(cluster, ["pgq"]), { autocommit: true });
  await source.execute("select pgq.create_queue('q')");
  await source.execute("update pgq.queue set queue_external_ticker = true");
  await source.execute("select pgq.register_consumer('q', 'worker')");
});

beforeEach(async () => {
  const program = { service: "worker", version: "1", summary: "s", config: [cascadeConfig], switches: [] };
  jobOfTest = await testJob(program, { queue_name: "q", catch_up_events: 100 });
  choice = newChoice();
  firstTick += 10_000;
  await tick(0, { seconds: 0, events: 0 });
  await goBack();
});

test.afterEach(() => jobOfTest[Symbol.asyncDispose]());

after(async () => {
  await source.close();
  await cluster[Symbol.asyncDispose]();
});

const newChoice = () =>
  new BatchChoice(jobOfTest.job, {
    targetKey: "db",
    queueName: "q",
    consumerName: "worker",
    isNodeWorker: true,
  });

async function goBack(): Promise<void> {
  completed = 0;
  await source.query("select pgq.register_consumer_at('q', 'worker', $1)", [firstTick]);
}

/** @param nr counts from the first tick of the test
 * @param at since then */
async function tick(nr: number, at: { seconds: number; events: number }): Promise<void> {
  const time = Date.UTC(2026, 0, 1) / 1000 + firstTick + at.seconds;
  const seq = firstTick * 1000 + at.events;
  await source.query("select pgq.ticker('q', $1, to_timestamp($2), $3)", [firstTick + nr, time, seq]);
}

async function ticks(count: number, eventsOfOne: number): Promise<void> {
  for (let nr = 1; nr <= count; nr += 1) await tick(nr, { seconds: nr * 3, events: nr * eventsOfOne });
}

/** Takes batches to the end of the queue.
 * @param guilty tick that nothing can be applied with
 * @returns which tick each of them ended with, also those that failed, until the guilty one has failed by itself */
async function takeAll(nodeType: "branch" | "leaf" = "leaf", guilty?: number): Promise<number[]> {
  const node = { nodeType, queueName: "q", nodeName: "n", combinedQueue: null, attributes: new Map() };
  const role = workerRole(node as unknown as NodeInfo, true);
  const ends: number[] = [];
  for (;;) {
    const completedTick = BigInt(firstTick + completed);
    const round = { role, node, state: { completedTick } } as unknown as CascadeRound;
    const batch = await choice.open(round, source);
    if (batch === undefined) {
      choice.startOver();
      return ends;
    }
    assert.equal(batch.previousTickId, completedTick);
    const end = Number(batch.tickId) - firstTick;
    ends.push(end);
    if (guilty !== undefined && completed < guilty && guilty <= end) {
      choice.roundFailed();
      if (completed + 1 === guilty) return ends;
      continue;
    }
    await finishBatch(source, batch.batchId);
    choice.batchDone();
    completed = end;
  }
}

test("a leaf that is behind takes all ticks that there are at once, however few events they have", async () => {
  await ticks(40, 2);
  assert.deepEqual(await takeAll(), [1, 2, 40]);
  await tick(41, { seconds: 500, events: 80 });
  assert.deepEqual(await takeAll(), [41]);
});

test("and where that would be too many events, so many as it may", async () => {
  await ticks(40, 10);
  assert.deepEqual(await takeAll(), [1, 2, 12, 22, 40]);
});

test("a batch of many ticks that keeps failing is taken tick by tick, so that all before the guilty one is applied", async () => {
  await ticks(40, 2);
  assert.deepEqual(await takeAll("leaf", 8), [1, 2, 40, 40, 3, 4, 5, 6, 7, 8]);
});

test("a branch takes each tick, and so does who is told to", async () => {
  await ticks(6, 2);
  assert.deepEqual(await takeAll("branch"), [1, 2, 3, 4, 5, 6]);
  jobOfTest.reload({ queue_name: "q", catch_up_events: 0 });
  await goBack();
  assert.deepEqual(await takeAll(), [1, 2, 3, 4, 5, 6]);
});

test("the pause after the last batch ends when the next tick is due", async () => {
  assert.deepEqual(await takeAll(), []);
  await tick(1, { seconds: 140, events: 1 });
  const begin = performance.now();
  assert.deepEqual(await takeAll(), [1]);
  const pauseMs = choice.pauseMs(100_000);
  // Most of it passes on the server's clock alone.
  assert.ok(pauseMs <= 143_125 && pauseMs > 143_000 - (performance.now() - begin), `${pauseMs}`);
  choice.forgetTicks();
  assert.equal(choice.pauseMs(100_000), 100_000);
});
