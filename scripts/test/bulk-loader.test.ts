import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Cluster, startCluster, waitFor } from "@skytools/testbed";
import { changeRows, createCapturedTables, waitForSameRows } from "./fixture/captured-tables.js";
import { ScriptSet } from "./fixture/script-set.js";

const table = "create table t (id int primary key, v text, local text default 'd')";
const rows = "select id, v, local from t order by id";

describe("bulk_loader3", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());

  async function setUp(): Promise<ScriptSet> {
    const set = await ScriptSet.create(cluster);
    await set.target.query(table);
    await set.register();
    return set;
  }

  it("brings tables to what they are on the source, in every event format, killed at any moment", async () => {
    await using set = await ScriptSet.create(cluster);
    await createCapturedTables(set);
    const script = set.script("bulk_loader3", { load_buffer: "16KB" });
    await script.runWell("--check");
    await script.runWell("--register");
    await changeRows(set.source, 1);
    for (const point of ["consumer.before-target-commit", "consumer.after-target-commit"]) {
      await using victim = script.start({ SKYTOOLS_CRASH_POINT: `${point}=kill` });
      assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
    }
    await changeRows(set.source, 2);
    await using victim = script.start();
    await victim.waitForOutput(/\{.*count: [1-9]/);
    await changeRows(set.source, 3);
    victim.signal("SIGKILL");
    await victim.exit;
    await changeRows(set.source, 4);
    await using last = script.start();
    await waitForSameRows(set, last);
    last.signal("SIGINT");
    assert.equal((await last.exit).code, 0);
    assert.doesNotMatch(last.stderrText(), /ERROR|WARN/);
  });

  it("folds the events of a key; the methods differ in what they replace", async () => {
    const before =
      "insert into t values (3, 'old', 'mine'), (4, 'old', 'mine'), (5, 'old', 'mine'), (6, 'old', 'mine')";
    const events = ["I1", "U1", "I2", "D2", "D3", "I3", "U4", "U4", "U5", "D5", "I6"] as const;
    const outcome = {
      "0": undefined,
      delete: [
        [1, "U1", "d"],
        [3, "I3", "d"],
        [4, "U4", "d"],
        [6, "old", "mine"],
      ],
      "2": [
        [1, "U1", "d"],
        [3, "I3", "d"],
        [4, "U4", "d"],
        [6, "I6", "d"],
      ],
    } as const;
    const correct = [
      [1, "U1", "d"],
      [3, "I3", "d"],
      [4, "U4", "mine"],
      [6, "old", "mine"],
    ];
    for (const [method, expected] of Object.entries(outcome)) {
      await using set = await setUp();
      await set.target.query(before);
      const wanted = method === "2" ? events : events.slice(0, -1);
      await set.source.produce(
        ...wanted.map((event) => [`${event[0]}:id`, `id=${event[1]}&v=${event}`, "public.t"] as const),
      );
      await using loader = set.script("bulk_loader3", { load_method: method }).start();
      await set.target.waitForRows(rows, expected ?? correct, loader);
    }
  });

  it("insert takes nothing but inserts; rows that are missing are told about, or an error", async () => {
    await using set = await setUp();
    const script = set.script("bulk_loader3", { load_method: "insert" });
    await set.source.produce(["I:", "id=1&v=a", "public.t"]);
    await using loader = script.start();
    await set.target.waitForRows(rows, [[1, "a", "d"]], loader);
    await set.source.produce(["U:id", "id=9&v=b", "public.t"], ["D:id", "id=8&v=b", "public.t"]);
    await loader.waitForOutput(
      /ev_id=\d+,.* update is not for this way of loading \(update on table "public\.t"/,
    );
    set.script("bulk_loader3", { load_method: "correct", missing_rows: "error" });
    loader.signal("SIGHUP");
    await loader.waitForOutput(/ERROR .*public\.t: Delete mismatch: expected=1 deleted=0/);
    await set.target.query(`create function pass() returns trigger language plpgsql as 'begin return old; end';
      create trigger pass before delete on t for each row execute function pass()`);
    await loader.waitForOutput(/ERROR .*there is no such row .*\(update on table "public\.t", key id=9/);
    await set.target.query("drop trigger pass on t");
    set.script("bulk_loader3", {});
    loader.signal("SIGHUP");
    await loader.waitForOutput(/WARNING .*public\.t: Update mismatch: expected=1 updated=0/);
    await loader.waitForOutput(/missing_rows: 2/);
    await set.source.produce(["R", null, "public.t"]);
    await set.target.waitForRows(rows, [], loader);
  });

  it("takes events of Skytools 2, renames tables, and waits where it does not know one", async () => {
    await using set = await setUp();
    await set.source.query(`select pgq.insert_event('q', type, data, table_name, key, null, null) from (values
      ('I', 'id=1&v=one+%25', 'public.old', 'id'), ('I', 'id=2&v', 'public.old', 'id'),
      ('U', 'id=1&v=1', 'public.old', 'id'), ('D', 'id=2&v', 'public.old', 'id'),
      ('I', 'a=b', 'public.unknown', null), ('pgq.global-watermark', '1', 'q', null)) e(type, data, table_name, key)`);
    await set.source.tick();
    const script = set.script("bulk_loader3", { remap_tables: "old:t" });
    await using loader = script.start();
    await loader.waitForOutput(
      /event \d+ of "public\.unknown" is for table "public\.unknown", which does not exist on /,
    );
    assert.deepEqual(await set.target.rows(rows), []);
    set.script("bulk_loader3", { remap_tables: "public.old: public.t", ignore_tables: "unknown" });
    loader.signal("SIGHUP");
    await set.target.waitForRows(rows, [[1, "1", "d"]], loader);
    await loader.waitForOutput(/\{skipped: 1, ignored_events: 1, .*count: 6/);
  });

  it("stops at an event that it cannot read, names it, and goes on once it is left out", async () => {
    await using set = await setUp();
    await set.source.produce(["I:id", '{"id":1,', "public.t"], ["I:id", "id=2&v=b", "public.t"]);
    await using loader = set.script("bulk_loader3").start();
    await loader.waitForOutput(/\[ev_id=(\d+),.* event data is not a JSON object of columns .*public\.t/);
    set.script("bulk_loader3", { consumer_filter: "ev_data <> '{\"id\":1,'" });
    loader.signal("SIGHUP");
    await set.target.waitForRows(rows, [[2, "b", "d"]], loader);
    for (const [type, message] of [
      ["EXECUTE", /event \d+ is a script of londiste's execute/],
      ["odd", /Unhandled event type in queue: odd/],
      ["U:", /event of a table without a usable key/],
    ] as const) {
      await set.source.produce([type, "id=1&v=x", "public.t"]);
      await loader.waitForOutput(message);
      await waitFor("the batch to be given up", async () => {
        const filter = `ev_type <> '${type}'`;
        set.script("bulk_loader3", { consumer_filter: filter });
        loader.signal("SIGHUP");
        const [info] = await set.source.rows("select pending_events from pgq.get_consumer_info()");
        return info?.[0] === "0" || info?.[0] === 0n || info?.[0] === 0;
      });
    }
  });

  it("refuses what it cannot use before anything happens", async () => {
    await using set = await setUp();
    const { code, stderr } = await set
      .script("bulk_loader3", { load_method: 4, load_buffer: "much", missing_rows: "forget" })
      .run("--check");
    assert.equal(code, 1);
    assert.match(
      stderr,
      /bulk_loader3\.ini:\d+: \[bulk_loader3\] load_method: "4" is not one of 0, 1, 2, 3, correct/,
    );
    assert.match(stderr, /load_buffer: "much" is not a size in bytes/);
    assert.match(stderr, /missing_rows: "forget" is not one of warn, error/);
  });
});
