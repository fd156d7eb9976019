import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Cluster, startCluster, waitFor } from "@skytools/testbed";
import { reload, ScriptSet } from "./fixture/script-set.js";

const columns = "ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4";
const events = `select ev_type, ev_data from pgq.event_1 order by ev_id`;

describe("queue_mover3 and queue_splitter3", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());

  it("queue_mover3 copies every event once with its fields and time, killed in mid-batch", async () => {
    await using set = await ScriptSet.create(cluster);
    const script = set.script("queue_mover3", { dst_queue_name: "copy" });
    await script.runWell("--create-queue");
    await script.runWell("--register");
    const data = "tab\\t \\\\ line\\n ä ''";
    await set.source.query(
      `select pgq.insert_event('q', 't' || n, case when n % 7 > 0 then E'${data}' || n end, 'a', null, '', repeat('x', n))
         from generate_series(1, 3000) n`,
    );
    await set.source.tick();
    for (const point of ["consumer.before-target-commit", "consumer.after-target-commit"]) {
      await using victim = script.start({ SKYTOOLS_CRASH_POINT: `${point}=kill` });
      assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
    }
    await set.source.tick();
    await set.source.produce(["last", null]);
    await using mover = script.start();
    await waitFor(
      "the last event",
      async () => (await set.target.rows("select from pgq.event_1 where ev_type = 'last'")).length > 0,
      { onTimeout: () => mover.outputTail() },
    );
    const hash = `select count(*)::int4, md5(string_agg(row(${columns})::text, ',' order by ev_id)) from pgq.event_1`;
    const [expected] = await set.source.rows(hash);
    assert.deepEqual(await set.target.rows(hash), [expected]);
    assert.equal(expected?.[0], 3001);
    await mover.waitForOutput(/\{count: 1, duration: /);
    mover.signal("SIGINT");
    assert.equal((await mover.exit).code, 0);
    assert.doesNotMatch(mover.stderrText(), /ERROR|WARN/);
  });

  it("queue_mover3 moves only what the filter lets through, and waits for its target queue", async () => {
    await using set = await ScriptSet.create(cluster);
    const script = set.script("queue_mover3", { dst_queue_name: "copy", table_filter: "t" }, "queue_mover");
    await set.register();
    await set.source.produce(["a", "1", "public.t"], ["b", "2", "public.u"]);
    await using mover = script.start();
    await mover.waitForOutput(/WARNING .*section \[queue_mover\] is now called \[queue_mover3\]/);
    await mover.waitForOutput(/ERROR .*queue/i);
    await set.target.query("select pgq.create_queue('copy')");
    await set.target.waitForRows(events, [["a", "1"]], mover);
  });

  it("queue_mover3 refuses to feed a queue with its own events", async () => {
    await using set = await ScriptSet.create(cluster);
    const script = set.script("queue_mover3", { dst_queue_name: "q", dst_db: set.source.connstr });
    await set.register();
    const { code, stderr } = await script.run();
    assert.equal(code, 1);
    assert.match(stderr, /dst_queue_name: queue "q" is the source itself/);
    await set.target.query("select pgq.create_queue('q')");
    const other = set.script("queue_mover3", { dst_queue_name: "q" });
    await using mover = other.start();
    await set.source.produce(["a", "1"]);
    await set.target.waitForRows(events, [["a", "1"]], mover);
  });

  it("queue_splitter3 refuses to feed its own source, whether an event or missing_queue names it", async () => {
    await using set = await ScriptSet.create(cluster);
    await set.source.query("select pgq.create_queue('other')");
    await set.register();
    const own = { dst_db: set.source.connstr, missing_queue: "q" };
    const { code, stderr } = await set.script("queue_splitter3", own).run();
    assert.equal(code, 1);
    assert.match(stderr, /missing_queue: queue "q" is the source itself/);
    await set.source.produce(["a", "1", "other"], ["b", "2", "q"]);
    const ofSource = "select ev_data from pgq.event_template order by ev_id";
    const script = set.script("queue_splitter3", { dst_db: set.source.connstr });
    {
      await using splitter = script.start();
      await splitter.waitForOutput(/ERROR .*event \d+ is for queue "q", which is the source itself/);
    }
    assert.deepEqual(await set.source.rows(ofSource), [["1"], ["2"]]);
    await set.target.query("select pgq.create_queue(x) from unnest(array['other', 'q']) x");
    await using splitter = set.script("queue_splitter3").start();
    await set.target.waitForRows(ofSource, [["1"], ["2"]], splitter);
  });

  it("queue_mover3 and queue_splitter3 leave out what the nodes of a cascaded source tell each other", async () => {
    await using set = await ScriptSet.create(cluster);
    await set.target.query("select pgq.create_queue('copy')");
    await set.register();
    const produce = async () => {
      const ofCascade = ["pgq.global-watermark", "1", "q"] as const;
      await set.source.produce(
        ["a", "1", "copy"],
        ofCascade,
        ["pgq.location-info", "x", "copy"],
        [null, "2", "copy"],
      );
    };
    await produce();
    const once = [
      ["a", "1"],
      [null, "2"],
    ];
    {
      await using mover = set.script("queue_mover3", { dst_queue_name: "copy" }).start();
      await set.target.waitForRows(events, once, mover);
      mover.signal("SIGINT");
      assert.equal((await mover.exit).code, 0);
    }
    await produce();
    await using splitter = set.script("queue_splitter3").start();
    await set.target.waitForRows(events, [...once, ...once], splitter);
    assert.doesNotMatch(splitter.stderrText(), /ERROR/);
  });

  it("queue_splitter3 copies each event into the queue it names, in order, killed in mid-batch", async () => {
    await using set = await ScriptSet.create(cluster);
    await set.target.query("select pgq.create_queue(x) from unnest(array['q1', 'q2']) x");
    const script = set.script("queue_splitter3");
    await set.register();
    await set.source.produce(["a", "1", "q1"], ["b", "2", "q2"], ["a", "3", "q1"]);
    for (const point of ["consumer.before-target-commit", "consumer.after-target-commit"]) {
      await using victim = script.start({ SKYTOOLS_CRASH_POINT: `${point}=kill` });
      assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
    }
    await set.source.produce(["c", "4", "q2"]);
    await using splitter = script.start();
    const ofQueue = (nr: number) => `select ev_type, ev_data from pgq.event_${nr} order by ev_id`;
    await set.target.waitForRows(
      ofQueue(2),
      [
        ["b", "2"],
        ["c", "4"],
      ],
      splitter,
    );
    const ofFirst = await set.target.rows(ofQueue(1));
    assert.deepEqual(ofFirst, [
      ["a", "1"],
      ["a", "3"],
    ]);
    const times = "select ev_time::text from pgq.event_template order by 1";
    assert.deepEqual(await set.target.rows(times), await set.source.rows(times));
  });

  it("queue_splitter3 does with events without a queue what missing_queue says", async () => {
    await using set = await ScriptSet.create(cluster);
    await set.target.query("select pgq.create_queue('rest')");
    const ofQueue = (name: string) =>
      set.target.rows(`select ev_data from pgq.event_template e, pgq.queue q
        where e.tableoid::regclass::text like queue_data_pfx || '%' and queue_name = '${name}' order by ev_id`);
    const settings = { queue_field: "ev_type" };
    const script = set.script("queue_splitter3", settings);
    await set.register();
    await set.source.produce(["new", "1"], [null, "2"]);
    await using splitter = script.start();
    await splitter.waitForOutput(/event \d+ is for queue "new", which does not exist/);
    set.script("queue_splitter3", { ...settings, missing_queue: "create" });
    await reload(splitter);
    await splitter.waitForOutput(/event \d+ has no value in ev_type/);
    assert.deepEqual(await set.target.rows("select queue_name from pgq.queue"), [["rest"]]);
    set.script("queue_splitter3", { ...settings, missing_queue: "rest" });
    await reload(splitter);
    await waitFor("the rest", async () => (await ofQueue("rest")).length === 2, {
      onTimeout: () => splitter.outputTail(),
    });
    set.script("queue_splitter3", { ...settings, missing_queue: "skip" });
    await reload(splitter);
    await set.source.produce(["new", "3"], ["rest", "4"]);
    await splitter.waitForOutput(/\{skipped: 1, count: 2/);
    set.script("queue_splitter3", { ...settings, missing_queue: "create" });
    await reload(splitter);
    await set.source.produce(["new", "5"]);
    await waitFor("the new queue", async () => (await ofQueue("new")).length === 1, {
      onTimeout: () => splitter.outputTail(),
    });
    assert.deepEqual(await ofQueue("rest"), [["1"], ["2"], ["4"]]);
    assert.deepEqual(await ofQueue("new"), [["5"]]);
  });
});
