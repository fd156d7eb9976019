import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { PartitionMaker } from "#src/handler/dispatch/partition-maker.js";
import { silentLog } from "../fixture/apply-bench.js";
import { HandlerBench, jsonChange } from "../fixture/handler-bench.js";

let bench: HandlerBench;

before(async () => {
  bench = await HandlerBench.start();
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

test("bulk tells how many rows were not there; methods 1 and 2 insert them", async () => {
  const events = [
    jsonChange("UPDATE", { id: 1, v: "a" }),
    jsonChange("UPDATE", { id: 2, v: "b" }),
    jsonChange("DELETE", { id: 3, v: "" }),
  ];
  const setup = "create table t (id int primary key, v text); insert into t values (1, 'old')";
  await bench.reset(setup);
  await bench.apply(events, { name: "bulk" });
  const told = silentLog.lines.join("\n");
  assert.match(told, /data\.t: Update mismatch: expected=2 updated=1/);
  assert.match(told, /data\.t: Delete mismatch: expected=1 deleted=0/);
  assert.deepEqual(await bench.rows("select * from t"), [{ id: 1, v: "a" }]);
  await bench.reset(setup);
  await bench.apply(events, { name: "bulk", args: ["method=1"] });
  assert.deepEqual(await bench.rows("select * from t order by id"), [
    { id: 1, v: "a" },
    { id: 2, v: "b" },
  ]);
  await bench.reset(setup);
  await bench.apply([jsonChange("INSERT", { id: 1, v: "again" })], { name: "bulk", args: ["method=2"] });
  assert.deepEqual(await bench.rows("select * from t"), [{ id: 1, v: "again" }]);
});

test("dispatch makes a partition for each period, with bounds, and puts rows where their time says", async () => {
  await bench.reset("create table t (id int primary key, v text, at timestamp)");
  const events = [
    jsonChange("INSERT", { id: 1, v: "a", at: "2024-12-31T23:59:59" }),
    jsonChange("INSERT", { id: 2, v: "b", at: "2025-01-01T00:00:00" }),
    jsonChange("UPDATE", { id: 2, v: "c", at: "2025-01-01T00:00:00" }),
  ];
  await bench.apply(events, { name: "monthly_field", args: ["part_field=at"] });
  const rows = await bench.rows("select tableoid::regclass::text as part, id, v from data.t order by id");
  assert.deepEqual(rows, [
    { part: "t_2024_12", id: 1, v: "a" },
    { part: "t_2025_01", id: 2, v: "c" },
  ]);
  await assert.rejects(
    bench.bench.source.execute("insert into t_2025_01 values (9, '', '2025-02-01')"),
    /check/,
  );
  await assert.rejects(
    bench.apply([jsonChange("INSERT", { id: 3, v: "x", at: null })], {
      name: "daily_field",
      args: ["part_field=at"],
    }),
    /part_field\(at\) is NULL/,
  );
});

test("dispatch names partitions by batch time, event time, or a template; hooks see the names", async () => {
  const events = [jsonChange("INSERT", { id: 1, v: "a" })];
  const partOf = async (args: readonly string[]) => {
    await bench.reset(
      "create table t (id int primary key, v text); create table made (part text, period text)",
    );
    await bench.apply(events, { name: "dispatch", args });
    const [row] = await bench.rows<{ part: string }>("select tableoid::regclass::text as part from t");
    return row?.part;
  };
  assert.equal(await partOf([]), "t_2025_06_15");
  assert.equal(await partOf(["period=hour", "part_mode=event_time"]), "t_2025_03_10_10");
  assert.equal(await partOf(["period=year", "part_name=%(parent)s_y%(year)s"]), "t_y2025");
  const hooked = [
    "period=year",
    "part_template=create table %(part)s () inherits (%(parent)s)",
    "post_part=insert into data.made values ('%(schema_table)s', '%(period)s')",
  ];
  assert.equal(await partOf(hooked), "t_2025");
  assert.deepEqual(await bench.rows("select * from made"), [{ part: "data__t_2025", period: "year" }]);
});

test("dispatch keep_all keeps every version, event_types and fields choose what arrives", async () => {
  const events = [
    jsonChange("INSERT", { id: 1, v: "a", x: "x" }),
    jsonChange("UPDATE", { id: 1, v: "b", x: "x" }),
    jsonChange("DELETE", { id: 1, v: "b", x: "x" }),
  ];
  for (const load of ["load_mode=direct", "load_mode=bulk"]) {
    await bench.reset("create table t (id int, new_v text, y text)");
    await bench.apply(events, {
      name: "dispatch",
      args: ["table_mode=direct", "row_mode=keep_all", "fields=id,v:new_v,y", load],
    });
    assert.deepEqual(await bench.rows("select id, new_v, y from t order by new_v"), [
      { id: 1, new_v: "a", y: null },
      { id: 1, new_v: "b", y: null },
    ]);
  }
  await bench.reset("create table t (id int primary key, v text)");
  const args = ["table_mode=direct", "event_types=I", "skip_fields=x"];
  await bench.apply(events, { name: "dispatch", args });
  assert.deepEqual(await bench.rows("select * from t"), [{ id: 1, v: "a" }]);
  const onlyInserts = bench.apply(events, { name: "bulk_direct", args: ["method=3", "skip_fields=x"] });
  await assert.rejects(onlyInserts, /update not supported by method insert/);
});

test("dispatch drops partitions older than retention_period and can skip their events", async () => {
  const old = jsonChange("INSERT", { id: 1, v: "old", at: "2001-01-01T00:00:00" });
  const args = ["part_field=at", "part_mode=date_field", "retention_period=3 months"];
  const setup =
    "create table t (id int primary key, v text, at timestamp); create table t_2000_01_01 () inherits (t)";
  await bench.reset(setup);
  const fresh = jsonChange("INSERT", { id: 2, v: "new", at: new Date().toISOString().slice(0, 19) });
  await bench.apply([old, fresh], { name: "dispatch", args: [...args, "ignore_old_events=1"] });
  assert.deepEqual(await bench.rows("select id from t"), [{ id: 2 }]);
  assert.deepEqual(await bench.rows("select to_regclass('t_2000_01_01') as found"), [{ found: null }]);
  assert.match(silentLog.lines.join("\n"), /Ignored table: data\.t_2001_01_01/);
});

test("dispatch leaves an obsolete partition that another queue's batch uses, which makes a partition then, to the next time", async () => {
  await bench.reset(
    "create table t (id int primary key, v text, at timestamp); create table t_2000_01_01 () inherits (t)",
  );
  const at = (ms: number) => new Date(Date.now() + ms).toISOString().slice(0, 19);
  const apply = (id: number, time: string) =>
    bench.apply([jsonChange("INSERT", { id, v: "", at: time })], {
      name: "dispatch",
      args: ["part_field=at", "part_mode=date_field", "retention_period=3 months"],
    });
  await using other = await Database.open(bench.bench.connstr);
  await other.execute("insert into data.t_2000_01_01 values (1, 'late', '2000-01-01')");
  let hasEnded = false;
  const applied = apply(2, at(0)).finally(() => {
    hasEnded = true;
  });
  await waitFor("the batch to end, or to wait for the other one", async () => {
    const locks = "select from pg_locks where not granted and pid = $1";
    return hasEnded || (await bench.bench.source.query(locks, [bench.bench.target.backendPid])).length > 0;
  });
  const maker = new PartitionMaker(other, silentLog, {
    parent: "data.t",
    period: "day",
    field: "at",
    functionName: "londiste.create_partition",
    template: undefined,
    preSql: undefined,
    postSql: undefined,
    retentionPeriod: undefined,
    ignoresOldEvents: false,
  });
  const time = { text: "2030-01-01 00:00:00", year: "2030", month: "01", day: "01", hour: "00" };
  const made = maker.ensure("data.t_2030_01_01", time, ["id"]);
  await applied;
  assert.equal(await made, true);
  await other.commit();
  assert.match(silentLog.lines.join("\n"), /Obsolete tables in use, dropped later: data\.t_2000_01_01/);
  assert.deepEqual(await bench.rows("select id from t order by id"), [{ id: 1 }, { id: 2 }]);
  await apply(3, at(-86_400_000));
  assert.deepEqual(await bench.rows("select id from t order by id"), [{ id: 2 }, { id: 3 }]);
});
