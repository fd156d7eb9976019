import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Cluster, startCluster, waitFor } from "@skytools/testbed";
import { ScriptSet } from "./fixture/script-set.js";

const insert =
  "insert into copied (id, name, type, tick) values (%%(id)s, %%(name)s, %%(pgq.ev_type)s, %%(pgq.tick_id)s)";
const table = `create table copied (nr serial, id int, name text, type text, tick int8,
    durability text default current_setting('synchronous_commit'));
  do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`;
const copied = "select id, name from copied order by nr";

describe("simple consumers", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());

  async function setUp(): Promise<ScriptSet> {
    const set = await ScriptSet.create(cluster);
    await set.target.query(table);
    return set;
  }

  const programs = [
    { program: "simple_consumer3", settings: {}, skipped: true },
    { program: "simple_local_consumer3", settings: { sql_retry: 1 }, skipped: true },
    { program: "simple_serial_consumer3", settings: {}, skipped: false },
  ];
  for (const { program, settings, skipped } of programs) {
    it(`${program} runs the query for each row, filtered, over kills and reloads`, async () => {
      await using set = await setUp();
      const tickFile = join(set.directory, "job.tick");
      const local = program.includes("local") ? { local_tracking_file: tickFile } : {};
      const base = { ...settings, ...local, dst_query: insert, pgq_lazy_fetch: 2 };
      const script = set.script(program, { ...base, consumer_filter: "ev_extra1 = 'public.t'" });
      await script.runWell("--check");
      await script.runWell("--register");
      await set.source.produce(
        ["I:id", "id=1&name=it%27s+one", "public.t"],
        ["U:id", "id=2&name", "public.t"],
        ["I:id", "id=9&name=x", "public.other"],
        ...(skipped ? ([["hand made", "id=8&name=x", "public.t"]] as const) : []),
      );
      await using first = script.start();
      const two = [
        [1, "it's one"],
        [2, null],
      ];
      await set.target.waitForRows(copied, two, first);
      if (skipped) await first.waitForOutput(/skipped: 1/);
      assert.deepEqual(await set.target.rows("select distinct type, durability from copied order by 1"), [
        ["I:id", "local"],
        ["U:id", "local"],
      ]);
      await waitFor("the acknowledgement", async () => {
        const rows = await set.source.rows("select current_batch from pgq.get_consumer_info()");
        return rows[0]?.[0] === null;
      });
      set.script(program, { ...base, dst_query: insert.replace("%%(name)s", "upper(%%(name)s)") });
      first.signal("SIGHUP");
      await first.waitForOutput(/Config reloaded/);
      await set.source.produce(["D:id", "id=3&name=c", "public.other"]);
      await set.target.waitForRows(copied, [...two, [3, "C"]], first);
      first.signal("SIGKILL");
      await first.exit;
      await set.source.produce(["D:id", "id=4&name=d"]);
      await using second = script.start();
      const four = [...two, [3, "C"], [4, "D"]];
      await waitFor(
        "the last row",
        async () => (await set.target.rows("select from copied where id = 4")).length > 0,
        { onTimeout: () => second.outputTail() },
      );
      const rows = await set.target.rows("select distinct id, name from copied order by id");
      assert.deepEqual(rows, four);
      if (program === "simple_serial_consumer3") assert.deepEqual(await set.target.rows(copied), four);
      second.signal("SIGINT");
      assert.equal((await second.exit).code, 0);
      assert.doesNotMatch(first.stderrText() + second.stderrText(), /ERROR/);
    });
  }

  it("simple_serial_consumer3 applies a batch once although it dies in the middle of it", async () => {
    await using set = await setUp();
    const script = set.script("simple_serial_consumer3", { dst_query: insert });
    await set.register();
    await set.source.produce(["t", "id=1&name=a"], ["t", "id=2&name=b"]);
    await using victim = script.start({ SKYTOOLS_CRASH_POINT: "consumer.before-target-commit=kill" });
    assert.equal((await victim.exit).signal, "SIGKILL");
    assert.deepEqual(await set.target.rows(copied), []);
    await using second = script.start({ SKYTOOLS_CRASH_POINT: "consumer.after-target-commit=kill" });
    assert.equal((await second.exit).signal, "SIGKILL");
    await set.source.produce(["t", "id=3&name=c"]);
    await using third = script.start();
    await set.target.waitForRows(
      copied,
      [
        [1, "a"],
        [2, "b"],
        [3, "c"],
      ],
      third,
    );
  });

  it("a parameter without a value blocks the queue until the query is mended", async () => {
    await using set = await setUp();
    const script = set.script("simple_serial_consumer3", { dst_query: "select %%(nmae)s" });
    await set.register();
    await set.source.produce(["t", "id=1&name=a"], ["t", null]);
    await using program = script.start();
    await program.waitForOutput(/query parameter "nmae" has no value/);
    await program.waitForOutput(/There are: id, name, pgq\.tick_id/);
    set.script("simple_serial_consumer3", {
      dst_query: "insert into copied (type) values (%%(pgq.ev_type)s)",
    });
    program.signal("SIGHUP");
    await set.target.waitForRows("select type from copied", [["t"], ["t"]], program);
  });

  it("a query that cannot be read is refused with file and line before anything happens", async () => {
    await using set = await setUp();
    const script = set.script("simple_consumer3", { dst_query: "select 100 %%%% 7, %%s" });
    const { code, stderr } = await script.run();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /simple_consumer3\.ini:8: \[simple_consumer3\] dst_query: "%s" in a query is no parameter/,
    );
  });

  it("a lost connection is another try for simple_local_consumer3", async () => {
    await using set = await setUp();
    await set.target.query("create table once ()");
    const script = set.script("simple_local_consumer3", {
      local_tracking_file: join(set.directory, "t"),
      sql_retry: 1,
      sql_retry_formula_a: 0,
      sql_retry_formula_b: 0.05,
      dst_query: "select die(%%(pgq.ev_data)s)",
    });
    await set.target.query(`create sequence tries;
      create function die(d text) returns text language plpgsql as $$
      begin
        if nextval('tries') < 3 then perform pg_terminate_backend(pg_backend_pid()); end if;
        insert into copied (name) values (d);
        return d;
      end $$`);
    writeFileSync(join(set.directory, "t"), "");
    await using program = script.start();
    await program.waitForOutput(/registering at the top/);
    await set.source.produce(["I:id", "id=1"]);
    await set.target.waitForRows("select name from copied", [["id=1"]], program);
    assert.match(program.stderrText(), /Retry #2 in 0.1 s/);
    assert.doesNotMatch(program.stderrText(), /ERROR/);
  });
});
