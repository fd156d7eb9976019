import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { moduleDatabase, type RunningProgram, waitFor } from "@skytools/testbed";
import { skipWithout } from "./fixture/originals.js";
import { createRecord, PythonConsumer, readRecord } from "./fixture/python-program.js";
import { insertEvents } from "./fixture/queue.js";
import { Stack } from "./fixture/stack.js";

describe("consumers on the original python library, over our PgQ and the original pgqd", {
  skip: skipWithout("pgqd", "python3-pgq"),
}, () => {
  it("get every event once, retried ones again, although they are killed meanwhile", async () => {
    await using stack = await Stack.start(["pgq"]);
    const { cluster, connstr } = stack;
    await using consumer = await PythonConsumer.create("plain", "recorder", {
      src_db: connstr,
      pgq_lazy_fetch: 7,
    });
    await consumer.run("--register");
    await consumer.run("--register");
    const expected: string[] = [];
    for (let round = 1; round <= 3; round++) {
      expected.push(...(await insertEvents(cluster, "db", `round ${round}`, 100)));
      expected.push(...(await insertEvents(cluster, "db", `again ${round}`, 10)));
      const seen = (await readRecord(cluster, "db")).length;
      await using killed = consumer.start();
      await waitFor("more events", async () => (await readRecord(cluster, "db")).length > seen, {
        onTimeout: () => killed.outputTail(),
      });
    }
    await using program = consumer.start();
    expected.push(...(await insertEvents(cluster, "db", "last", 5)));
    await stack.waitForRecord(expected.length + 30, [program]);
    const record = await readRecord(cluster, "db");
    const first = record.filter((event) => event.ev_retry === null).map((event) => event.ev_data);
    const again = record.filter((event) => event.ev_retry === 1).map((event) => event.ev_data);
    assert.deepEqual(first, expected, "in the order of their numbers");
    assert.deepEqual(again.toSorted(), expected.filter((data) => data.startsWith("again")).toSorted());
    assert.equal(record.length, expected.length + 30);
    await interrupt(program);
    stack.assertQuiet(program);

    await consumer.run("--unregister");
    const left = await cluster.query("select * from pgq.get_consumer_info()", [], "db");
    assert.deepEqual(left, []);
  });

  it("filter events in the server and collect batches", async () => {
    await using stack = await Stack.start(["pgq"]);
    const { cluster, connstr } = stack;
    await using whole = await PythonConsumer.create("plain", "whole", {
      src_db: connstr,
      pgq_lazy_fetch: 0,
      pgq_autocommit: 0,
      table_filter: "public.wanted",
    });
    await using collecting = await PythonConsumer.create("plain", "collecting", {
      src_db: connstr,
      pgq_batch_collect_events: 50,
    });
    for (const consumer of [whole, collecting]) await consumer.run("--register");
    await using first = whole.start();
    await using second = collecting.start();
    for (let round = 1; round <= 6; round++) {
      await cluster.query(
        `select pgq.insert_event('q', 't', n::text, case when n % 2 = 0 then 'public.wanted' else 'public.other' end,
                null, null, null) from generate_series(1, 20) n`,
        [],
        "db",
      );
      // What one has seen is ticked: the other one could have it too, and waits for 50 events.
      const collected = 60 * Math.floor(round / 3);
      await stack.waitForRecord(round * 10 + collected, [first, second]);
      const record = await readRecord(cluster, "db");
      assert.equal(record.filter((event) => event.job === "collecting").length, collected);
    }
    const record = await readRecord(cluster, "db");
    const ofWhole = record.filter((event) => event.job === "whole");
    assert.equal(ofWhole.length, 60);
    assert.ok(ofWhole.every((event) => event.ev_extra1 === "public.wanted"));
    const batches = new Set(record.filter((event) => event.job === "collecting").map((event) => event.batch));
    assert.equal(batches.size, 2);
    stack.assertQuiet(first, second);
  });

  it("share the batches of one consumer as subconsumers", async () => {
    await using stack = await Stack.start(["pgq", "pgq_coop"]);
    const { cluster, connstr } = stack;
    const create = (name: string) =>
      PythonConsumer.create("coop", name, {
        src_db: connstr,
        consumer_name: "shared",
        subconsumer_name: name,
        subconsumer_timeout: "1 hour",
      });
    await using one = await create("one");
    await using two = await create("two");
    for (const consumer of [one, two]) await consumer.run("--register");
    await using first = one.start();
    await using second = two.start();
    const expected: string[] = [];
    let round = 0;
    await waitFor(
      "a batch of each",
      async () => {
        expected.push(...(await insertEvents(cluster, "db", `round ${++round}`, 20)));
        return new Set((await readRecord(cluster, "db")).map((event) => event.job)).size === 2;
      },
      // The other one may be up late: what comes meanwhile is not to become a backlog.
      { intervalMs: 250, onTimeout: () => first.outputTail() + second.outputTail() },
    );
    expected.push(...(await insertEvents(cluster, "db", "again", 5)));
    await stack.waitForRecord(expected.length + 5, [first, second]);
    const record = await readRecord(cluster, "db");
    const sorted = record.map((event) => event.ev_data).toSorted();
    assert.deepEqual(sorted, [...expected, ...expected.slice(-5)].toSorted());
    stack.assertQuiet(first, second);

    for (const program of [first, second]) await interrupt(program);
    for (const consumer of [one, two]) await consumer.run("--unregister");
    const left = await cluster.query("select consumer_name from pgq.get_consumer_info()", [], "db");
    assert.deepEqual(left, [{ consumer_name: "shared" }]);
  });

  for (const kind of ["remote", "serial"] as const) {
    it(`apply each event once in another database (${kind})`, async () => {
      await using stack = await Stack.start(["pgq"]);
      const { cluster, connstr } = stack;
      const target = await moduleDatabase(cluster, ["pgq", "pgq_ext"], "target");
      await createRecord(cluster, "target");
      await using consumer = await PythonConsumer.create(kind, kind, { src_db: connstr, dst_db: target });
      await consumer.run("--register");
      const expected: string[] = [];
      for (let round = 1; round <= 3; round++) {
        expected.push(...(await insertEvents(cluster, "db", `round ${round}`, 50)));
        const seen = (await readRecord(cluster, "target")).length;
        await using killed = consumer.start();
        await waitFor("more events", async () => (await readRecord(cluster, "target")).length > seen, {
          onTimeout: () => killed.outputTail(),
        });
      }
      await using program = consumer.start();
      expected.push(...(await insertEvents(cluster, "db", "last", 5)));
      await stack.waitForRecord(expected.length, [program], "target");
      if (kind === "serial") {
        await interrupt(program);
        // The source has gone on without the target: the target's tick brings it back.
        await cluster.query(
          "select pgq.register_consumer_at('q', 'serial', (select max(tick_id) from pgq.tick))",
          [],
          "db",
        );
        await consumer.run("--rewind");
        expected.push(...(await insertEvents(cluster, "db", "late", 5)));
        await using resumed = consumer.start();
        await stack.waitForRecord(expected.length, [resumed], "target");
        stack.assertQuiet(resumed);
      }
      const record = await readRecord(cluster, "target");
      assert.deepEqual(
        record.map((event) => event.ev_data),
        expected,
      );
      stack.assertQuiet(program);
    });
  }

  it("keep their position in a file", async () => {
    await using stack = await Stack.start(["pgq"]);
    const { cluster, connstr } = stack;
    await using consumer = await PythonConsumer.create("local", "local", {
      src_db: connstr,
      local_tracking_file: "./local.tick",
    });
    await using first = consumer.start();
    await waitFor(
      "the registration",
      async () =>
        (await cluster.query("select 1 from pgq.get_consumer_info('q', 'local')", [], "db")).length === 1,
      { onTimeout: () => first.outputTail() },
    );
    await insertEvents(cluster, "db", "event", 10);
    await first.waitForOutput(/^event 10$/m);
    assert.deepEqual(
      first.stdoutText().trim().split("\n"),
      Array.from({ length: 10 }, (_, at) => `event ${at + 1}`),
    );
    stack.assertQuiet(first);
  });
});

/** Ends a program as its operator would: after the batch in work. */
async function interrupt(program: RunningProgram): Promise<void> {
  program.signal("SIGINT");
  await program.exit;
}
