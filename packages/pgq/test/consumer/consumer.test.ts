import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { SkytoolsError, UsageError } from "@skytools/skytools";
import { type Cluster, startCluster } from "@skytools/testbed";
import { type ConsumedEvent, Consumer, type ConsumerBatch, consumerProgram } from "#src/index.js";
import { QueueDatabase } from "../fixture/queue-database.js";
import { type Settings, type TestJob, testJob } from "../fixture/test-job.js";

const databases = { sourceKey: "src_db", targetKey: "dst_db" };

/** Records events through the source connection and tags them as their data says. */
class Recorder extends Consumer {
  readonly sizes: number[] = [];

  protected override async processBatch(batch: ConsumerBatch<ConsumedEvent>): Promise<void> {
    for await (const block of batch.events.blocks()) {
      this.sizes.push(block.length);
      for (const event of block) {
        await batch.source.query("insert into seen (data, retry) values ($1, $2)", [event.data, event.retry]);
        if (event.data?.startsWith("again") === true && event.retry === null) event.tagRetry(0);
        if (event.data?.startsWith("bad") === true) event.tagFailed("it is bad");
        if (event.data === "again after all done") event.tagDone();
      }
    }
  }
}

describe("Consumer", () => {
  let cluster: Cluster;
  let count = 0;
  let queue: QueueDatabase;

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());
  beforeEach(async () => {
    count += 1;
    queue = await QueueDatabase.create(cluster, `q${count}`);
  });

  const program = consumerProgram({
    service: "recorder",
    version: "1",
    summary: "records",
    consumer: Recorder,
  });

  function start(settings: Settings = {}): Promise<TestJob> {
    return testJob(program, { src_db: queue.connstr, queue_name: "q", consumer_name: "c", ...settings });
  }

  async function consume(consumer: Consumer): Promise<void> {
    while ((await consumer.work()) === "busy");
  }

  it("registers, delivers, tags in one go, and says what it did", async () => {
    await using test = await start();
    const consumer = new Recorder(test.job, databases);
    await assert.rejects(consumer.work(), /Not subscriber to queue: q\/c/);
    await test.job.databases.closeAll();
    await consumer.register();
    await consumer.register();
    await queue.produce("a", "again 1", "bad 1", "again 2", "again after all done");
    assert.equal(await consumer.work(), "busy");
    assert.match(
      test.job.statistics.take()!.line,
      /^\{retry-events: 2, failed-events: 1, count: 5, duration: \d+\.\d+, idle: \d+\.\d+\}$/,
    );
    assert.equal(await consumer.work(), "idle");
    await queue.query("select pgq.maint_retry_events()");
    await queue.tick();
    await consume(consumer);
    const again = await queue.query("select data from seen where retry = 1 order by data");
    assert.deepEqual(again, [{ data: "again 1" }, { data: "again 2" }]);
    const failed = await queue.query(
      "select ev_data, ev_failed_reason as why from pgq.failed_event_list('q', 'c')",
    );
    assert.deepEqual(failed, [{ ev_data: "bad 1", why: "it is bad" }]);
    await consumer.unregister();
    await consumer.unregister();
    assert.deepEqual(
      test.log.filter((line) => line.startsWith("info")),
      [
        "info Registered consumer c on queue q",
        "info Consumer c is already registered on queue q",
        "info Unregistered consumer c from queue q",
        "info Consumer c is not registered on queue q",
      ],
    );
  });

  it("pauses until the next tick is due", async () => {
    await using test = await start();
    const consumer = new Recorder(test.job, databases);
    await consumer.register();
    await queue.query("update pgq.queue set queue_external_ticker = true");
    await consume(consumer);
    assert.equal(consumer.pauseMs(100_000), 100_000);
    const begin = performance.now();
    await queue.query(
      "select pgq.ticker('q', tick_id + 1, tick_time + interval '140 seconds', 10) from pgq.tick order by tick_id desc limit 1",
    );
    await consume(consumer);
    const pauseMs = consumer.pauseMs(100_000);
    assert.ok(pauseMs <= 143_125 && pauseMs > 143_000 - (performance.now() - begin), `${pauseMs}`);
  });

  it("does its work and acknowledges in one transaction, or neither", async () => {
    let isFailing = true;
    class Failing extends Recorder {
      protected override async processBatch(batch: ConsumerBatch<ConsumedEvent>): Promise<void> {
        await super.processBatch(batch);
        if (isFailing) throw new Error("on purpose");
      }
    }
    await using test = await start();
    const consumer = new Failing(test.job, databases);
    await consumer.register();
    await queue.produce("a", "again");
    await assert.rejects(consumer.work(), /on purpose/);
    await test.job.databases.closeAll();
    assert.deepEqual(await queue.seen(), []);
    isFailing = false;
    await consume(consumer);
    assert.deepEqual(await queue.seen(), ["a", "again"]);
    assert.equal((await queue.query("select from pgq.retry_queue")).length, 1);
  });

  it("fetches in blocks that follow the size of the events", async () => {
    await using test = await start({ pgq_lazy_fetch: 100, pgq_fetch_bytes: "100K" });
    const consumer = new Recorder(test.job, databases);
    await consumer.register();
    const small = Array.from({ length: 300 }, (_, at) => `event ${at}`);
    const large = Array.from({ length: 120 }, (_, at) => `event ${at} ${"x".repeat(50_000)}`);
    const small2 = small.map((data) => `${data} again small`);
    await queue.produce(...small, ...large, ...small2);
    await consume(consumer);
    assert.deepEqual(await queue.seen(), [...small, ...large, ...small2]);
    assert.deepEqual(consumer.sizes.slice(0, 3), [30, 60, 100]);
    assert.equal(Math.min(...consumer.sizes.slice(0, -1)), 2);
    assert.ok(
      consumer.sizes.slice(-3).some((size) => size > 50),
      consumer.sizes.join(" "),
    );
  });

  it("fetches more at once while the queue holds no large event", async () => {
    class Counter extends Recorder {
      protected override async processBatch({ events }: ConsumerBatch<ConsumedEvent>): Promise<void> {
        for await (const block of events.blocks()) this.sizes.push(block.length);
      }
    }
    await using test = await start();
    const consumer = new Counter(test.job, databases);
    await consumer.register();
    const many = "select pgq.insert_event('q', 't', n::text) from generate_series(1, 9000) n";
    await queue.query(many);
    await queue.tick();
    await consume(consumer);
    assert.equal(Math.max(...consumer.sizes), 3000);
    consumer.sizes.length = 0;
    await queue.query(many);
    await queue.query(
      "select pgq.insert_event('q', 't', (select string_agg(md5(n::text), '') from generate_series(1, 3000) n))",
    );
    await queue.tick();
    await consume(consumer);
    assert.equal(Math.max(...consumer.sizes), 300);
    assert.equal(
      consumer.sizes.reduce((sum, size) => sum + size, 0),
      9001,
    );
  });

  it("sends very many tags in parts and refuses to change those", async () => {
    const refused: unknown[] = [];
    class Retrying extends Consumer {
      protected override async processBatch({ events }: ConsumerBatch<ConsumedEvent>): Promise<void> {
        let first: ConsumedEvent | undefined;
        for await (const event of events) {
          first ??= event;
          event.tagRetry(0);
        }
        try {
          first?.tagDone();
        } catch (error) {
          refused.push(error);
        }
      }
    }
    await using test = await start({ pgq_lazy_fetch: 5000 });
    const consumer = new Retrying(test.job, databases);
    await consumer.register();
    await queue.query("select pgq.insert_event('q', 't', n::text) from generate_series(1, 12000) n");
    await queue.tick();
    await consume(consumer);
    assert.equal((await queue.query("select from pgq.retry_queue")).length, 12_000);
    assert.match(String(refused[0]), /tag of event 1 was sent to the server already/);
  });

  it("reads events once, and acknowledges what nobody looked at", async () => {
    const problems: unknown[] = [];
    class Careless extends Consumer {
      protected override async processBatch({ events }: ConsumerBatch<ConsumedEvent>): Promise<void> {
        for await (const event of events) if (event.data !== "") break;
        try {
          for await (const event of events) assert.fail(String(event.id));
        } catch (error) {
          problems.push(error);
        }
      }
    }
    await using test = await start();
    const consumer = new Careless(test.job, databases);
    await consumer.register();
    await queue.produce(...Array.from({ length: 500 }, (_, at) => `${at}`));
    await consume(consumer);
    assert.ok(problems[0] instanceof SkytoolsError && problems[0].code === "DOUBLE_FETCH");
    assert.equal(await consumer.work(), "idle");
  });

  it("lets the server filter, by tables or by a condition, until the filter is taken away", async () => {
    const settings = { src_db: queue.connstr, queue_name: "q", consumer_name: "c" };
    await using test = await start({ table_filter: "wanted, other.it's" });
    const consumer = new Recorder(test.job, databases);
    await consumer.register();
    const produce = async () => {
      await queue.query(`select pgq.insert_event('q', 't', x, x, null, null, null)
        from unnest(array['public.wanted', 'other.it''s', 'wanted', 'public.unwanted']) x`);
      await queue.tick();
      await consume(consumer);
      return (await queue.seen()).length;
    };
    assert.equal(await produce(), 2);
    test.reload({ ...settings, table_filter: "wanted", consumer_filter: "ev_data like '%%wanted'" });
    assert.equal(await produce(), 2 + 3);
    test.reload({ ...settings, table_filter: "" });
    assert.equal(await produce(), 2 + 3 + 4);
  });

  it("collects ticks into batches by count, interval and age", async () => {
    const settings = { src_db: queue.connstr, queue_name: "q", consumer_name: "c" };
    await using test = await start({ pgq_keep_lag: "1 hour" });
    const consumer = new Recorder(test.job, databases);
    await consumer.register();
    await queue.produce("a");
    assert.equal(await consumer.work(), "idle");
    test.reload({ ...settings, pgq_batch_collect_interval: "1 hour" });
    assert.equal(await consumer.work(), "idle");
    test.reload({ ...settings, pgq_batch_collect_events: 100_000 });
    assert.equal(await consumer.work(), "idle");
    test.reload(settings);
    assert.equal(await consumer.work(), "busy");
  });

  it("loads whole batches in autocommit mode, and refuses that with lazy fetch", async () => {
    await using wrong = await start({ pgq_autocommit: 1 });
    assert.throws(
      () => new Recorder(wrong.job, databases),
      (error) =>
        error instanceof UsageError && /recorder\.ini:5: \[recorder\] pgq_autocommit/.test(error.message),
    );
    await using test = await start({ pgq_autocommit: 1, pgq_lazy_fetch: 0 });
    const consumer = new Recorder(test.job, databases);
    await consumer.register();
    await queue.produce("a", "again");
    await consume(consumer);
    assert.deepEqual(await queue.seen(), ["a", "again"]);
    assert.equal((await queue.query("select from pgq.retry_queue")).length, 1);
  });

  it("waits while another process holds the lock, and takes over", async () => {
    await using one = await start({ pgq_consumer_lock: 1 });
    await using two = await start({ pgq_consumer_lock: 1 });
    const first = new Recorder(one.job, databases);
    const second = new Recorder(two.job, databases);
    await first.register();
    await queue.produce("a");
    assert.equal(await first.work(), "busy");
    await queue.produce("b");
    assert.equal(await second.work(), "idle");
    assert.equal(await second.work(), "idle");
    assert.deepEqual(
      two.log.filter((line) => line.startsWith("info")),
      ["info Another process reads queue q as c, waiting"],
    );
    await one.job.databases.closeAll();
    let result = await second.work();
    while (result === "idle") result = await second.work();
    assert.deepEqual(await queue.seen(), ["a", "b"]);
  });

  it("does the work of a batch once when two processes run under one name", async () => {
    await using one = await start();
    await using two = await start();
    const other = new Recorder(two.job, databases);
    class Outrun extends Recorder {
      protected override async processBatch(batch: ConsumerBatch<ConsumedEvent>): Promise<void> {
        await super.processBatch(batch);
        await other.work();
      }
    }
    const consumer = new Outrun(one.job, databases);
    await consumer.register();
    await queue.produce("a", "b");
    await consumer.work();
    assert.deepEqual(await queue.seen(), ["a", "b"]);
  });

  it("rolls back what it did for a batch that somebody else has closed, and goes on", async () => {
    class Outrun extends Recorder {
      protected override async processBatch(batch: ConsumerBatch<ConsumedEvent>): Promise<void> {
        await super.processBatch(batch);
        await queue.query("select pgq.finish_batch($1)", [String(batch.info.batchId)]);
      }
    }
    await using test = await start();
    const consumer = new Outrun(test.job, databases);
    await consumer.register();
    await queue.produce("a");
    await consume(consumer);
    assert.ok(
      test.log.some((line) => /^warn batch \d+ was closed by somebody else/.test(line)),
      test.log.join("\n"),
    );
    assert.deepEqual(await queue.seen(), []);
  });
});
