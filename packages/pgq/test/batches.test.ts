import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { Database } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster } from "@skytools/testbed";
import {
  batches,
  copyEvents,
  createQueue,
  finishBatch,
  forceTick,
  getConsumerInfo,
  insertEvent,
  insertEvents,
  registerConsumer,
  retryEvent,
} from "#src/index.js";

describe("producing and consuming", () => {
  let cluster: Cluster;
  let producer: Database;
  let consumer: Database;
  let queueCount = 0;
  let queue: string;

  before(async () => {
    cluster = await startCluster();
    const connstr = await moduleDatabase(cluster, ["pgq"], "queues");
    producer = await Database.open(connstr);
    consumer = await Database.open(connstr);
    await producer.execute("create table seen (ev_id int8)");
    await producer.commit();
  });
  after(async () => {
    await producer.close();
    await consumer.close();
    await cluster[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    queueCount += 1;
    queue = `Queue "${queueCount}"`;
    await createQueue(producer, queue);
    await registerConsumer(producer, queue, "c");
    await producer.commit();
  });

  async function tick(): Promise<void> {
    await forceTick(producer, queue);
    await producer.commit();
    await producer.query("select pgq.ticker($1)", [queue]);
    await producer.commit();
  }

  async function typesOnce(where?: string): Promise<(string | null)[][]> {
    const found: (string | null)[][] = [];
    for await (const batch of batches(consumer, queue, "c", { isOnce: true })) {
      const types: (string | null)[] = [];
      for await (const event of batch.events(where)) types.push(event.type);
      found.push(types);
    }
    return found;
  }

  it("delivers each tick's events as one batch, once", async () => {
    await insertEvent(producer, queue, { type: "a", data: "1" });
    await insertEvent(producer, queue, { type: "b", data: null, extra4: "x" });
    await tick();
    await tick();
    await insertEvent(producer, queue, { type: "c", data: "" });
    await tick();
    assert.deepEqual(await typesOnce(), [["a", "b"], [], ["c"]]);
    assert.deepEqual(await typesOnce(), []);
  });

  it("filters on the server", async () => {
    for (const type of ["a", "b", "a"]) await insertEvent(producer, queue, { type, data: null });
    await tick();
    assert.deepEqual(await typesOnce("ev_type = 'a'"), [["a", "a"]]);
  });

  it("gives every column as it was stored, microseconds too", async () => {
    const data = 'tab\t newline\n backslash\\ quote" null\\N ä€😀';
    await insertEvents(producer, queue, [
      { type: "t", data, extra1: "", extra2: "\\", extra3: null, time: "2024-02-29 23:59:59.123456+00" },
    ]);
    await tick();
    for await (const batch of batches(consumer, queue, "c", { isOnce: true })) {
      for await (const event of batch.events()) {
        assert.deepEqual(
          { ...event, id: 0n, txid: 0n },
          {
            id: 0n,
            time: "2024-02-29 23:59:59.123456+00",
            txid: 0n,
            retry: null,
            type: "t",
            data,
            extra1: "",
            extra2: "\\",
            extra3: null,
            extra4: null,
          },
        );
        assert.equal(typeof event.id, "bigint");
      }
    }
  });

  it("commits the work together with the acknowledgement, and neither when the work fails", async () => {
    await insertEvent(producer, queue, { type: "a", data: null });
    await tick();
    const attempt = async (isFailing: boolean) => {
      for await (const batch of batches(consumer, queue, "c", { isOnce: true })) {
        const ids: bigint[] = [];
        for await (const event of batch.events()) ids.push(event.id);
        for (const id of ids) await consumer.query("insert into seen values ($1::int8)", [id]);
        if (isFailing) throw new Error("on purpose");
      }
    };
    const seen = () => producer.queryValue<bigint>("select count(*) from seen");
    const before = await seen();
    await assert.rejects(attempt(true), /on purpose/);
    assert.equal(await seen(), before);
    await attempt(false);
    assert.equal(await seen(), before! + 1n);
    await attempt(false);
    assert.equal(await seen(), before! + 1n);
    await producer.commit();
  });

  it("rolls the work back, and says so, when somebody else has closed the batch", async () => {
    await insertEvent(producer, queue, { type: "a", data: null });
    await tick();
    const seen = () => producer.queryValue<bigint>("select count(*) from seen");
    const before = await seen();
    const outrun = async () => {
      for await (const { info } of batches(consumer, queue, "c", { isOnce: true })) {
        await consumer.query("insert into seen values (0)");
        await finishBatch(producer, info.batchId);
        await producer.commit();
      }
    };
    await assert.rejects(outrun(), /batch \d+ was closed by somebody else/);
    assert.equal(await seen(), before);
    await producer.commit();
  });

  it("leaves a batch open when the caller leaves the loop, also in the middle of its events", async () => {
    for (const type of ["a", "b"]) await insertEvent(producer, queue, { type, data: "x".repeat(100_000) });
    await tick();
    for await (const batch of batches(consumer, queue, "c", { isOnce: true })) {
      for await (const event of batch.events()) if (event.type === "a") break;
      break;
    }
    assert.deepEqual(await typesOnce(), [["a", "b"]]);
  });

  it("brings an event again that was put into the retry queue", async () => {
    await insertEvent(producer, queue, { type: "later", data: null });
    await tick();
    for await (const batch of batches(consumer, queue, "c", { isOnce: true })) {
      const ids: bigint[] = [];
      for await (const event of batch.events()) ids.push(event.id);
      for (const id of ids) assert.ok(await retryEvent(consumer, batch.info.batchId, id, 0));
    }
    await producer.query("select pgq.maint_retry_events()");
    await producer.commit();
    await tick();
    const retries: (number | null)[] = [];
    for await (const batch of batches(consumer, queue, "c", { isOnce: true })) {
      for await (const event of batch.events()) retries.push(event.retry);
    }
    assert.deepEqual(retries, [1]);
  });

  it("collects ticks into larger batches when asked", async () => {
    for (const type of ["a", "b", "c"]) {
      await insertEvent(producer, queue, { type, data: null });
      await tick();
    }
    // Each forced tick moves the event sequence by about 2000, and that is what the server counts.
    let batchCount = 0;
    for await (const batch of batches(consumer, queue, "c", { isOnce: true, minCount: 4000 })) {
      batchCount += 1;
      for await (const event of batch.events()) assert.ok(event.type !== null);
    }
    assert.equal(batchCount, 1);
  });

  it("ends a wait for the next batch at the caller's signal", async () => {
    const abort = new AbortController();
    const iteration = batches(consumer, queue, "c", { idleMs: 3_600_000, signal: abort.signal });
    const next = iteration.next();
    abort.abort();
    assert.equal((await next).done, true);
  });

  it("refuses a consumer that is not registered", async () => {
    await assert.rejects(batches(consumer, queue, "nobody").next(), /Not subscriber to queue/);
    await consumer.rollback();
  });

  it("inserts more than memory should hold, and reads it again, both as streams", async () => {
    const count = 20_000;
    const payload = "x".repeat(6000);
    function* many() {
      for (let index = 0; index < count; index += 1) yield { type: "t", data: payload };
    }
    const start = process.memoryUsage().rss;
    let peak = start;
    assert.equal(await insertEvents(producer, queue, many()), BigInt(count));
    await tick();
    let seen = 0;
    for await (const batch of batches(consumer, queue, "c", { isOnce: true })) {
      for await (const event of batch.events()) {
        if (event.data?.length === payload.length) seen += 1;
        if (seen % 1000 === 0) peak = Math.max(peak, process.memoryUsage().rss);
      }
    }
    assert.equal(seen, count);
    const grownMegabytes = Math.round((peak - start) / 1e6);
    assert.ok(grownMegabytes < 100, `memory grew by ${grownMegabytes} MB while 120 MB passed`);
    const [info] = await getConsumerInfo(consumer, queue, "c");
    await consumer.commit();
    assert.equal(info!.currentBatch, null);
  });

  it("reports a failure in the middle of a COPY", async () => {
    const sql = `select i::int8, now(), 1::int8, null::int4, 't', (1 / (50000 - i))::text, null, null, null, null
                   from generate_series(1, 100000) as i`;
    const read = async () => {
      for await (const event of copyEvents(consumer, sql)) assert.ok(event.id < 50_000n);
    };
    await assert.rejects(read(), /division by zero/);
    await consumer.rollback();
  });
});
