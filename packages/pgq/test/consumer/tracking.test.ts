import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Database } from "@skytools/skytools";
import { type Cluster, startCluster, type TemporaryDirectory, temporaryDirectory } from "@skytools/testbed";
import {
  type ConsumedEvent,
  type ConsumerBatch,
  type ConsumerClass,
  CoopConsumer,
  consumerProgram,
  LocalConsumer,
  type PgqEvent,
  RemoteConsumer,
  SerialConsumer,
} from "#src/index.js";
import { QueueDatabase } from "../fixture/queue-database.js";
import { type Settings, type TestJob, testJob } from "../fixture/test-job.js";

const databases = { sourceKey: "src_db", targetKey: "dst_db" };
const record = "insert into seen (data) values ($1)";

class Remote extends RemoteConsumer {
  protected override async processRemoteEvent(event: PgqEvent, target: Database): Promise<void> {
    await target.query(record, [event.data]);
  }
}

class Serial extends SerialConsumer {
  protected override async processRemoteEvent(event: PgqEvent, target: Database): Promise<void> {
    await target.query(record, [event.data]);
  }
}

class Local extends LocalConsumer {
  readonly seen: (string | null)[] = [];

  protected override processLocalEvent(event: PgqEvent): void {
    this.seen.push(event.data);
  }
}

class Coop extends CoopConsumer {
  readonly seen: (string | null)[] = [];
  readonly infos: ConsumerBatch["info"][] = [];

  protected override async processBatch(batch: Parameters<CoopConsumer["processBatch"]>[0]): Promise<void> {
    this.infos.push(batch.info);
    for await (const event of batch.events) this.seen.push(event.data);
  }
}

describe("consumers that track their position outside of the queue, and shared ones", () => {
  let cluster: Cluster;
  let directory: TemporaryDirectory;
  let count = 0;
  let queue: QueueDatabase;

  before(async () => {
    cluster = await startCluster();
    directory = await temporaryDirectory("ticks");
  });
  after(async () => {
    await directory[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    count += 1;
    queue = await QueueDatabase.create(cluster, `t${count}`);
  });

  function start(consumer: ConsumerClass, settings: Settings = {}): Promise<TestJob> {
    const program = consumerProgram({ service: "tracker", version: "1", summary: "tracks", consumer });
    return testJob(program, { src_db: queue.connstr, queue_name: "q", consumer_name: "c", ...settings });
  }

  const ofSource = async (): Promise<string | null> =>
    (
      await queue.query<{ tick: string }>(
        "select last_tick::text as tick from pgq.get_consumer_info('q', 'c')",
      )
    )[0]?.tick ?? null;

  /** Moves the queue's position. */
  const move = (tick: string) => queue.query("select pgq.register_consumer_at('q', 'c', $1)", [tick]);

  for (const Class of [Remote, Serial]) {
    it(`${Class.name}: a batch that the target has is only acknowledged`, async () => {
      await using test = await start(Class, { dst_db: queue.connstr });
      const consumer = new Class(test.job, databases);
      await consumer.register();
      await queue.produce("a", "b");
      // As after a crash between the two commits: the source knows nothing of what the target has.
      const source = await test.job.databases.get("src_db");
      const finish = "create function pgq.finish_batch_kept(x bigint) returns int language sql as 'select 1'";
      await queue.query(`${finish}; alter function pgq.finish_batch(bigint) rename to finish_batch_real;
        alter function pgq.finish_batch_kept(bigint) rename to finish_batch`);
      assert.equal(await consumer.work(), "busy");
      await queue.query(`alter function pgq.finish_batch(bigint) rename to finish_batch_kept;
        alter function pgq.finish_batch_real(bigint) rename to finish_batch`);
      await source.commit();
      assert.equal(await consumer.work(), "busy");
      assert.equal(await consumer.work(), "idle");
      assert.deepEqual(await queue.seen(), ["a", "b"]);
      const target = await test.job.databases.get("dst_db");
      assert.equal(target.inTransaction, false);
    });

    it(`${Class.name}: commits wait for the disk, whatever the database is set to`, async () => {
      const name = `t${count}`;
      await queue.query(`alter database ${name} set synchronous_commit = off`);
      await queue.query("alter table seen add durability text default current_setting('synchronous_commit')");
      await using test = await start(Class, { dst_db: queue.connstr });
      const consumer = new Class(test.job, databases);
      await consumer.register();
      await queue.produce("a");
      assert.equal(await consumer.work(), "busy");
      assert.deepEqual(await queue.query("select durability from seen"), [{ durability: "local" }]);
      const source = await test.job.databases.get("src_db");
      assert.equal(await source.queryValue("show synchronous_commit"), "local");
    });

    it(`${Class.name}: two processes under one name apply a batch once`, async () => {
      await using one = await start(Class, { dst_db: queue.connstr });
      await using two = await start(Class, { dst_db: queue.connstr });
      const consumers = [new Class(one.job, databases), new Class(two.job, databases)];
      await consumers[0]!.register();
      for (let round = 0; round < 20; round += 1) await queue.produce(`${round}`);
      const takeAll = async (test: TestJob, consumer: Remote | Serial): Promise<void> => {
        for (;;) {
          try {
            if ((await consumer.work()) === "idle") return;
          } catch (error) {
            assert.match(String(error), /batch \d+ was closed by somebody else/);
            await test.job.databases.closeAll();
          }
        }
      };
      await Promise.all([takeAll(one, consumers[0]!), takeAll(two, consumers[1]!)]);
      assert.deepEqual(
        await queue.seen(),
        Array.from({ length: 20 }, (_, at) => `${at}`),
      );
    });
  }

  for (const { where, isKept } of [
    { where: "with the target's work", isKept: true },
    { where: "on the source, where the target keeps none", isKept: false },
  ]) {
    it(`RemoteConsumer: a tag that cannot be sent is not lost, it is kept ${where}`, async () => {
      class Tagging extends RemoteConsumer {
        protected override async processRemoteEvent(event: ConsumedEvent, target: Database): Promise<void> {
          await target.query(record, [event.data]);
          if (event.data === "bad") event.tagFailed("it is bad");
        }
      }
      await using test = await start(Tagging, { dst_db: queue.connstr });
      const consumer = new Tagging(test.job, databases);
      await consumer.register();
      await queue.produce("a", "bad");
      if (!isKept) await queue.query("drop function pgq_ext.tag_events");
      await queue.query("alter function pgq.fail_events rename to fail_events_kept");
      await assert.rejects(consumer.work(), /keeps no failed events/);
      await test.job.databases.closeAll();
      assert.deepEqual(await queue.seen(), isKept ? ["a", "bad"] : []);
      await queue.query("alter function pgq.fail_events_kept rename to fail_events");
      assert.equal(await consumer.work(), "busy");
      assert.deepEqual(await queue.seen(), ["a", "bad"]);
      assert.equal((await queue.query("select from pgq.failed_queue")).length, 1);
      await queue.produce("b");
      assert.equal(await consumer.work(), "busy");
      assert.equal((await queue.query("select from pgq.failed_queue")).length, 1);
    });
  }

  it("SerialConsumer: stops where source and target do not meet, rewinds and resets", async () => {
    await using test = await start(Serial, { dst_db: queue.connstr });
    const consumer = new Serial(test.job, databases);
    await consumer.rewindPosition();
    assert.match(test.log.at(-1)!, /^warn No tick of c found on dst side/);
    await consumer.register();
    const first = await queue.produce("a");
    await consumer.work();
    await queue.produce("b");
    const third = await queue.produce("c");
    await queue.produce("d");
    await move(third);
    await assert.rejects(
      consumer.work(),
      new RegExp(`Lost position: batch ${third}..\\d+, dst has ${first}`),
    );
    await test.job.databases.closeAll();
    await consumer.rewindPosition();
    assert.equal(await ofSource(), first);
    while ((await consumer.work()) === "busy");
    assert.deepEqual(await queue.seen(), ["a", "b", "c", "d"]);
    await move(third);
    await consumer.resetPosition();
    while ((await consumer.work()) === "busy");
    assert.deepEqual(await queue.seen(), ["a", "b", "c", "d", "d"]);
    await consumer.unregister();
    assert.deepEqual(await queue.query("select * from pgq_ext.completed_tick"), []);
  });

  /** Ticks after the start: q for the queue's position, l for the file's; undefined: none. */
  const cases: { q?: number; l?: number; after: number; file: number | undefined; log: RegExp }[] = [
    { after: 4, file: undefined, log: /^info Consumer c not registered, registering at the top/ },
    {
      l: 2,
      after: 2,
      file: 2,
      log: /^info Consumer c not registered, registering at tick \d+ of the tick file/,
    },
    { q: 2, after: 2, file: 2, log: /^info No tick file/ },
    { q: 1, l: 3, after: 3, file: 3, log: /^warn Tick file is ahead of the queue/ },
    { q: 3, l: 1, after: 1, file: 1, log: /^warn Tick file is behind the queue/ },
    { q: 2, l: 2, after: 2, file: 2, log: /^info Queue and tick file agree/ },
  ];
  it("LocalConsumer: brings the queue and its file together", async () => {
    const ticks = [await queue.tick()];
    for (let at = 1; at <= 4; at += 1) ticks.push(await queue.produce(`${at}`));
    for (const [index, { q, l, after: expected, file, log }] of cases.entries()) {
      const path = join(directory.path, `reconcile-${index}`);
      await queue.query("select pgq.unregister_consumer('q', 'c') from pgq.get_consumer_info('q', 'c')");
      if (q !== undefined) await move(ticks[q]!);
      if (l !== undefined) writeFileSync(path, ` ${ticks[l]}\n`);
      await using test = await start(Local, { local_tracking_file: path });
      const consumer = new Local(test.job, databases);
      await consumer.startup();
      assert.match(test.log.at(-1)!, log);
      assert.equal(await ofSource(), ticks[expected]);
      assert.equal(existsSync(path) ? readFileSync(path, "utf8").trim() : undefined, file && ticks[file]);
      while ((await consumer.work()) === "busy");
      assert.deepEqual(consumer.seen, ["1", "2", "3", "4"].slice(expected));
      if (expected < 4) assert.equal(readFileSync(path, "utf8"), ticks[4]);
    }
  });

  it("LocalConsumer: a batch that the file has is only acknowledged; the file decides after a failure", async () => {
    const path = join(directory.path, "decides");
    await using test = await start(Local, { local_tracking_file: path });
    const consumer = new Local(test.job, databases);
    await consumer.startup();
    await queue.produce("a");
    await consumer.work();
    const second = await queue.produce("b");
    writeFileSync(path, second);
    await consumer.work();
    assert.deepEqual(consumer.seen, ["a"]);
    writeFileSync(path, "rubbish");
    await queue.produce("c");
    await assert.rejects(consumer.work(), /decides holds no tick but "rubbish"/);
    await test.job.databases.closeAll();
    await consumer.reset();
    await assert.rejects(consumer.work(), /holds no tick/);
    await test.job.databases.closeAll();
    writeFileSync(path, second);
    await consumer.work();
    assert.deepEqual(consumer.seen, ["a", "c"]);
    await consumer.resetPosition();
    assert.equal(existsSync(path), false);
    await consumer.rewindPosition();
    assert.match(test.log.at(-1)!, /^error Cannot rewind, no tick found/);
    writeFileSync(path, second);
    await consumer.rewindPosition();
    assert.equal(await ofSource(), second);
    await consumer.unregister();
    assert.equal(existsSync(path), false);
  });

  it("LocalConsumer: a process that stands by leaves the position alone, however old its file", async () => {
    const settings = { pgq_consumer_lock: 1 };
    const old = join(directory.path, "old");
    writeFileSync(old, await queue.tick());
    await using one = await start(Local, { ...settings, local_tracking_file: join(directory.path, "new") });
    const active = new Local(one.job, databases);
    await active.startup();
    await queue.produce("a");
    assert.equal(await active.work(), "busy");
    const reached = await ofSource();
    await using two = await start(Local, { ...settings, local_tracking_file: old });
    const standby = new Local(two.job, databases);
    await standby.startup();
    assert.equal(await standby.work(), "idle");
    assert.equal(await ofSource(), reached);
    await one.job.databases.closeAll();
    while ((await standby.work()) === "idle");
    assert.deepEqual(standby.seen, ["a"]);
  });

  it("LocalConsumer: refuses a file whose directory is missing, takes a bare name", async () => {
    await using test = await start(Local, { local_tracking_file: join(directory.path, "no", "file") });
    assert.throws(
      () => new Local(test.job, databases),
      /tracker\.ini:5: \[tracker\] local_tracking_file: directory .*no does not exist/,
    );
    await using bare = await start(Local, { local_tracking_file: "bare.tick" });
    assert.ok(new Local(bare.job, databases));
  });

  it("CoopConsumer: work through the source counts once when a slow member's batch was handed on", async () => {
    class Recorder extends CoopConsumer {
      /** does something else while the first batch is at work */
      meanwhile: (() => Promise<unknown>) | undefined;

      protected override async processEvent(event: PgqEvent, { source }: ConsumerBatch<ConsumedEvent>) {
        await source.query(record, [event.data]);
        await this.meanwhile?.();
      }
    }
    await using one = await start(Recorder, { subconsumer_name: "slow" });
    await using two = await start(Recorder, { subconsumer_name: "next", subconsumer_timeout: "0 seconds" });
    const [slow, next] = [new Recorder(one.job, databases), new Recorder(two.job, databases)];
    await slow.register();
    await next.register();
    await queue.produce("a");
    slow.meanwhile = () => next.work();
    assert.equal(await slow.work(), "busy");
    assert.deepEqual(await queue.seen(), ["a"]);
    assert.match(one.log.join("\n"), /warn batch \d+ was closed by somebody else on/);
    assert.equal(await next.work(), "idle");
  });

  it("CoopConsumer: shares batches, keeps an open one, takes over from the dead", async () => {
    const member = (name: string, settings: Settings = {}) =>
      start(Coop, { subconsumer_name: name, ...settings });
    await using one = await member("one");
    await using two = await member("two", { subconsumer_timeout: "1 hour" });
    const first = new Coop(one.job, databases);
    const second = new Coop(two.job, databases);
    await first.register();
    await second.register();
    for (const data of ["a", "b"]) await queue.produce(data);
    assert.equal(await first.work(), "busy");
    assert.equal(await second.work(), "busy");
    assert.deepEqual([first.seen, second.seen], [["a"], ["b"]]);
    assert.equal(second.infos[0]!.previousTickId, first.infos[0]!.tickId);
    await queue.produce("c");
    await queue.query("select pgq_coop.next_batch('q', 'c', 'one')");
    assert.equal(await second.work(), "idle");
    await queue.query(
      "update pgq.subscription set sub_active = now() - interval '2 hours' where sub_batch is not null",
    );
    assert.equal(await second.work(), "busy");
    assert.deepEqual(second.seen, ["b", "c"]);
    await using collecting = await member("one", { pgq_batch_collect_events: 100_000 });
    await queue.produce("d");
    assert.equal(await new Coop(collecting.job, databases).work(), "idle");
    assert.equal(await first.work(), "busy");
    await first.unregister();
    await second.unregister();
    const left = await queue.query("select consumer_name as name from pgq.get_consumer_info()");
    assert.deepEqual(left, [{ name: "c" }]);
  });
});
