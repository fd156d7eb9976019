import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { urlEncodeRow } from "@skytools/skytools";
import { type TemporaryDirectory, temporaryDirectory } from "@skytools/testbed";
import { jsonEvent, type TestEvent } from "../fixture/apply-bench.js";
import { HandlerBench } from "../fixture/handler-bench.js";

/* What every handler owes: events have their effect in order, across TRUNCATE and scripts too; a batch that is rolled back and
 * comes again counts once; one event and many, in any format that it takes, come to the same. */

let bench: HandlerBench;
let directory: TemporaryDirectory;

before(async () => {
  directory = await temporaryDirectory("handlers");
  const map = join(directory.path, "map.yaml");
  writeFileSync(map, "data.t: {id: keep, v: keep, at: keep}\n");
  bench = await HandlerBench.start(
    `obfuscator_map = ${map}\nshard_info_sql = select 0 as shard_nr, 0 as shard_mask, 1 as shard_count\n`,
  );
});

after(async () => {
  await bench[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

interface Subject {
  readonly name: string;
  readonly args?: readonly string[];
  /** where the rows are to be found; default: the table */
  readonly rows?: string;
  /** stores nothing */
  readonly isEmpty?: boolean;
  /** TRUNCATE does not empty */
  readonly keepsOnTruncate?: boolean;
}

const setup = `
  create table t (id int primary key, v text, at timestamptz);
  create table seen (nr serial, id int, op text);
  create function data.store(conf text, tick text, ev_id text, ev_time text, ev_txid text, retry text, ev_type text, ev_data text,
     extra1 text, extra2 text, extra3 text, extra4 text) returns text language plpgsql as $$
  declare _row jsonb := '{}'; _part text;
  begin
    foreach _part in array string_to_array(ev_data, '&') loop
      _row := _row || jsonb_build_object(split_part(_part, '=', 1), replace(split_part(_part, '=', 2), '%20', ' '));
    end loop;
    delete from data.t where id = (_row->>'id')::int;
    if ev_type not like 'D%' then
      insert into data.t values ((_row->>'id')::int, _row->>'v', '2025-03-10 10:00+00');
    end if;
    return conf;
  end $$;`;

const subjects: readonly Subject[] = [
  { name: "londiste" },
  { name: "londiste", args: ["encoding=utf8"] },
  { name: "bulk" },
  { name: "bulk", args: ["method=1"] },
  { name: "bulk", args: ["method=2"] },
  { name: "filter", args: ["where=id >= 0"] },
  { name: "applyfn", args: ["func_name=data.store", "func_conf=x"] },
  { name: "multimaster", args: ["func_name=data.store", "timefield=at"] },
  { name: "shard", args: ["hash_key=id"] },
  { name: "part", args: ["key=id"] },
  { name: "obfuscate" },
  { name: "dispatch", args: ["table_mode=direct"] },
  { name: "dispatch" },
  { name: "bulk_direct" },
  { name: "monthly_event" },
  { name: "daily_field", args: ["part_field=at"] },
  { name: "bulk_hourly_event", args: ["method=2"] },
  { name: "vtable", isEmpty: true },
  { name: "fake_local", isEmpty: true },
  { name: "qtable", isEmpty: true },
  { name: "shard", args: ["hash_key=id", "disable_replay=1"], isEmpty: true },
  { name: "dispatch", args: ["table_mode=ignore"], isEmpty: true },
];

type Op = "INSERT" | "UPDATE" | "DELETE";

const letters = { INSERT: "I", UPDATE: "U", DELETE: "D" } as const;

function event(op: Op, id: number, v: string | null, isUrl = false): TestEvent {
  const row = { id, v, at: "2025-03-10T10:00:00+00:00" };
  const made = isUrl
    ? {
        type: `${letters[op]}:id`,
        data: urlEncodeRow({ ...row, id: String(id) }),
        table: "data.t",
      }
    : jsonEvent(op, "data.t", ["id"], row);
  return { ...made, extra3: "hash=5" };
}

/** Ids with an even number end updated, every tenth deleted; `count` of them. */
function history(count: number, isUrl: boolean): TestEvent[] {
  return Array.from({ length: count }, (_, nr) => nr + 1).flatMap((id) => [
    event("INSERT", id, `v${id}`, isUrl),
    ...(id % 2 === 0 ? [event("UPDATE", id, "changed", isUrl)] : []),
    ...(id % 10 === 0 ? [event("DELETE", id, "changed", isUrl)] : []),
  ]);
}

const stored = () => bench.rows<{ id: number; v: string }>("select id, v from data.t order by id");

for (const subject of subjects) {
  const title = [subject.name, ...(subject.args ?? [])].join(" ");

  test(`${title}: few events and many, JSON and urlencoded, lead to the same rows`, async () => {
    for (const count of [7, 120]) {
      for (const isUrl of [false, true]) {
        await bench.reset(setup);
        await bench.apply(history(count, isUrl), subject, { isLarge: count > 7 });
        const expected = Array.from({ length: count }, (_, nr) => nr + 1)
          .filter((id) => id % 10 !== 0)
          .map((id) => ({ id, v: id % 2 === 0 ? "changed" : `v${id}` }));
        assert.deepEqual(await stored(), subject.isEmpty === true ? [] : expected, `${count} ${isUrl}`);
      }
    }
  });

  test(`${title}: what was collected is there before TRUNCATE and before a script, and not twice after a rollback`, async () => {
    await bench.reset(setup);
    const truncate: TestEvent = { type: "R", data: "", table: "data.t" };
    const script: TestEvent = { type: "EXECUTE", data: "", table: "script.sql" };
    const events = [
      ...Array.from({ length: 40 }, (_, nr) => event("INSERT", nr + 1, "before")),
      truncate,
      ...Array.from({ length: 40 }, (_, nr) => event("INSERT", nr + 101, "after")),
      script,
      event("INSERT", 500, "last"),
    ];
    let inScript = -1;
    const look = async () => {
      const rows = await bench.bench.target.query("select from data.t");
      inScript = rows.length;
    };
    const fails = bench.apply(events, subject, { onControlEvent: () => Promise.reject(new Error("killed")) });
    await assert.rejects(fails, /killed/);
    await bench.apply(events, subject, { onControlEvent: look });
    const rows = await stored();
    if (subject.isEmpty === true) {
      assert.deepEqual([inScript, rows.length], [0, 0]);
      return;
    }
    assert.equal(inScript, 40, "in the script");
    assert.equal(rows.length, 41);
    assert.ok(rows.every((row) => row.v !== "before"));
  });
}

test("every handler is among the subjects", () => {
  const tested = new Set(subjects.map((subject) => subject.name));
  const presets = /^(?:bulk_)?(?:hourly|daily|monthly|yearly)_(?:event|batch|field|time)$|^direct$/;
  const untested = bench.registry.all.map((handler) => handler.name).filter((name) => !tested.has(name));
  assert.deepEqual(
    untested.filter((name) => !presets.test(name)),
    ["qsplitter"],
  );
});

test("arguments that a handler does not take, or values that it does not know, are refused with what it takes", () => {
  const table = { name: "data.t", destination: "data.t" };
  const create = (name: string, values: Readonly<Record<string, string>>) => () =>
    bench.registry.create({ name, arguments: new Map(Object.entries(values)) }, table);
  assert.throws(create("bulk", { x: "1" }), /Invalid handler argument: \['x'\]/);
  assert.throws(create("dispatch", { row_mode: "keep" }), /Bad argument row_mode value keep/);
  assert.throws(create("bulk", { method: "9" }), /unknown method: 9/);
  assert.throws(create("shard", {}), /Specify hash key field as hash_key argument/);
  assert.throws(create("qsplitter", {}), /specify queue with handler-arg/);
  assert.throws(create("applyfn", {}), /needs --handler-arg=func_name/);
  assert.throws(create("dispatch", { part_mode: "date_field" }), /needs --handler-arg=part_field/);
  assert.throws(create("dispatch", { event_types: "I,X" }), /Unsupported operation: X/);
  assert.throws(create("bulks", {}), { message: "unknown handler: bulks", hint: "Is it bulk?" });
});
