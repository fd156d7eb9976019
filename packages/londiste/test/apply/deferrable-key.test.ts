import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { RowsTreatment } from "#src/apply/rows-treatment.js";
import { setStatement } from "#src/apply/set-statement.js";
import { openStage } from "#src/apply/stage-table.js";
import { loadTargetTables } from "#src/apply/target-table.js";
import type { TableHandler } from "#src/handler/handler.js";
import { ApplyBench, jsonEvent, type TestEvent } from "../fixture/apply-bench.js";

let bench: ApplyBench;

before(async () => {
  bench = await ApplyBench.start();
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

const event = (op: "INSERT" | "UPDATE" | "DELETE", id: number, v: string) =>
  jsonEvent(op, "public.t", ["id"], { id, v });

/** A change of a key is logged as a delete and an insert, row after row as the statement has met them. */
const moves: Readonly<Record<string, readonly TestEvent[]>> = {
  "two rows that trade keys": [
    event("DELETE", 1, "a"),
    event("INSERT", 2, "a"),
    event("DELETE", 2, "b"),
    event("INSERT", 1, "b"),
  ],
  "rows that all move on by one": [
    event("DELETE", 1, "a"),
    event("INSERT", 2, "a"),
    event("DELETE", 2, "b"),
    event("INSERT", 3, "b"),
    event("DELETE", 3, "c"),
    event("INSERT", 4, "c"),
  ],
  "a row that is changed, doubled and deleted": [
    event("UPDATE", 2, "B"),
    event("INSERT", 2, "new"),
    event("DELETE", 2, "B"),
  ],
};
const onceMore = [
  event("DELETE", 1, "a"),
  event("INSERT", 1, "A"),
  event("INSERT", 5, "e"),
  event("DELETE", 5, "e"),
  event("INSERT", 5, "E"),
  event("UPDATE", 2, "B"),
  event("DELETE", 2, "B"),
];

const filler = (count: number) =>
  Array.from({ length: count }, (_, nr) => event("INSERT", nr + 100, "filler"));
const rows = () => bench.rows("select * from t where id < 100 order by id");

for (const key of ["primary key", "primary key deferrable initially deferred"]) {
  describe(`events of a table whose key was made deferrable on the source, here with ${key}`, () => {
    for (const [what, events] of Object.entries(moves)) {
      for (const more of [0, 60]) {
        it(`${what}: stops with the event, and changes nothing (${more} events more)`, async () => {
          await bench.source.execute(
            `drop table if exists t; create table t (id int ${key}, v text); insert into t values (1, 'a'), (2, 'b'), (3, 'c')`,
          );
          const before = await rows();
          const applying = bench.apply([...filler(more), ...events], { "public.t": "public.t" }, more > 0);
          await assert.rejects(applying, (error: Error & { hint?: string }) => {
            assert.match(
              error.message,
              /^\[ev_id=\d+,.*insert on table "public\.t", key id=\d, .*SQLSTATE 23505/,
            );
            assert.match(error.hint ?? "", /the key is deferrable on the provider.*resync/);
            return true;
          });
          assert.deepEqual(await rows(), before);
        });
      }
    }

    for (const more of [0, 60]) {
      it(`keys that come and go one after the other are applied (${more} events more)`, async () => {
        await bench.source.execute(
          `drop table if exists t; create table t (id int ${key}, v text); insert into t values (1, 'a'), (2, 'b')`,
        );
        const result = await bench.apply(
          [...filler(more), ...onceMore],
          { "public.t": "public.t" },
          more > 0,
        );
        assert.deepEqual(await rows(), [
          { id: 1, v: "A" },
          { id: 5, v: "E" },
        ]);
        const isSet = more > 0 && key === "primary key";
        assert.equal(result.rowByRowEvents, isSet ? 0 : more + onceMore.length);
      });
    }
  });
}

describe("a row that is here already, of a key that is deferrable here", () => {
  const sql = (type: string, data: string): TestEvent => ({ type, data, table: "public.t" });
  const handler = (rows: RowsTreatment) =>
    new Map([["public.t", { isComplete: false, rows } satisfies TableHandler]]);
  const filler = Array.from({ length: 60 }, (_, nr) => event("INSERT", nr + 100, "filler"));
  const ways: Readonly<Record<string, readonly [RowsTreatment, readonly TestEvent[]]>> = {
    "through a filter": [{ condition: "v <> ''" }, [event("INSERT", 1, "x")]],
    "through a filter, as many": [{ condition: "v <> ''" }, [...filler, event("INSERT", 1, "x")]],
    "as partial SQL": [{}, [sql("I", "(id,v) values ('1','x')")]],
    "as partial SQL through a filter": [{ condition: "v <> ''" }, [sql("I", "(id,v) values ('1','x')")]],
    "among updates that replace, as many": [
      { replaces: "updates" },
      [...filler, event("UPDATE", 2, "x"), event("INSERT", 1, "x")],
    ],
    "with another key in the event": [{}, [jsonEvent("INSERT", "public.t", ["v"], { id: 1, v: "x" })]],
  };

  for (const [what, [treatment, events]] of Object.entries(ways)) {
    it(`is not doubled ${what}`, async () => {
      await bench.source.execute(
        "drop table if exists t; create table t (id int primary key deferrable, v text); insert into t values (1, 'a'), (2, 'b')",
      );
      bench.handlers = handler(treatment);
      try {
        const applying = bench.apply(events, { "public.t": "public.t" });
        await assert.rejects(applying, /\[ev_id=\d+,.*there is a row of this key already.*SQLSTATE 23505/);
        assert.equal((await rows()).length, 2);
        // A row that the filter keeps away has no key to collide with.
        if (treatment.condition === undefined) return;
        await bench.apply([event("INSERT", 1, "")], { "public.t": "public.t" });
        assert.equal((await rows()).length, 2);
      } finally {
        bench.handlers = new Map();
      }
    });
  }

  it("is looked for by columns of any name", async () => {
    await bench.source.execute(
      "drop table if exists t; create table t (found int, new_row int, t int, primary key (found, new_row, t) deferrable)",
    );
    const one = jsonEvent("INSERT", "public.t", ["found"], { found: 1, new_row: 2, t: 3 });
    const other = jsonEvent("INSERT", "public.t", ["found"], { found: 1, new_row: 2, t: 4 });
    await bench.apply([one, other], { "public.t": "public.t" });
    assert.equal((await bench.rows("select from t")).length, 2);
    await assert.rejects(
      bench.apply([other], { "public.t": "public.t" }),
      /there is a row of this key already/,
    );
  });
});

it("rows of deleted keys are looked for with one reading of a table that has no index of the key", async () => {
  await bench.source.execute(
    "drop table if exists t; create table t as select g as id, '' as v from generate_series(1, 20000) g; analyze t",
  );
  const table = (await loadTargetTables(bench.target, ["public.t"])).get("public.t")!;
  const stage = await openStage(bench.target, table, table.columns, "");
  const sql = setStatement({
    table,
    stage,
    operations: new Set(["insert", "delete"]),
    key: table.columns.slice(0, 1),
    treatment: {},
  });
  const plan = await bench.target.query<{ "QUERY PLAN": string }>(`explain ${sql}`);
  await bench.target.rollback();
  const text = plan.map((line) => line["QUERY PLAN"]).join("\n");
  assert.match(text, /hashed SubPlan/);
  // A scan that filters by the key is done again for each key.
  assert.doesNotMatch(text, / Filter: \(id = /);
});
