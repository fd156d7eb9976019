import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { urlEncodeRow } from "@skytools/skytools";
import fc from "fast-check";
import { ApplyBench, jsonEvent, type TestEvent } from "../fixture/apply-bench.js";

interface Row {
  readonly id: number;
  readonly u: number | null;
  readonly v: string | null;
  readonly j: string | null;
}

type Step =
  | {
      readonly kind: "put";
      readonly id: number;
      readonly u: number | null;
      readonly v: string | null;
      readonly j: string | null;
    }
  | { readonly kind: "delete"; readonly id: number }
  | { readonly kind: "swap"; readonly a: number; readonly b: number }
  | { readonly kind: "update-missing" | "delete-missing" | "truncate" };

const ids = fc.integer({ min: 1, max: 6 });
const text = fc.oneof(
  fc.constant(null),
  fc.string({ maxLength: 4 }).map((value) => value.replaceAll("\0", "")),
);
const json = fc.oneof(
  fc.constant(null),
  fc.jsonValue({ maxDepth: 1 }).map((value) => JSON.stringify(value).replaceAll("\\u0000", "")),
);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant("put" as const),
        id: ids,
        u: fc.option(fc.integer({ min: 1, max: 3 })),
        v: text,
        j: json,
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("delete" as const), id: ids }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("swap" as const), a: ids, b: ids }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom("update-missing" as const, "delete-missing" as const, "truncate" as const),
      }),
    },
  ),
  { maxLength: 90, size: "max" },
);

/** Plays steps on a table with a unique column `u`, as an application could: what comes out are the events its triggers store. */
function play(start: readonly Row[], played: readonly Step[], format: (nr: number) => "json" | "url") {
  const rows = new Map(start.map((row) => [row.id, row]));
  const events: TestEvent[] = [];
  const emit = (op: "INSERT" | "UPDATE" | "DELETE", row: Row) => {
    events.push(
      format(events.length) === "json" ? jsonEvent(op, "public.t", ["id"], { ...row }) : urlEvent(op, row),
    );
  };
  const put = (row: Row) => {
    const taken = [...rows.values()].some(
      (other) => other.id !== row.id && other.u !== null && other.u === row.u,
    );
    const actual = taken ? { ...row, u: null } : row;
    emit(rows.has(row.id) ? "UPDATE" : "INSERT", actual);
    rows.set(row.id, actual);
  };
  for (const step of played) {
    if (step.kind === "put") put({ id: step.id, u: step.u, v: step.v, j: step.j });
    else if (step.kind === "delete") {
      const row = rows.get(step.id);
      if (row !== undefined) emit("DELETE", row);
      rows.delete(step.id);
    } else if (step.kind === "swap") {
      const [a, b] = [rows.get(step.a), rows.get(step.b)];
      if (a === undefined || b === undefined || a === b) continue;
      put({ ...a, u: null });
      put({ ...b, u: a.u });
      put({ ...a, u: b.u });
    } else if (step.kind === "truncate") {
      events.push({ type: "R", data: "", table: "public.t" });
      rows.clear();
    } else {
      const row: Row = { id: 99, u: null, v: "nobody", j: null };
      emit(step.kind === "update-missing" ? "UPDATE" : "DELETE", row);
    }
  }
  return { events, rows: [...rows.values()].sort((a, b) => a.id - b.id) };
}

function urlEvent(op: "INSERT" | "UPDATE" | "DELETE", row: Row): TestEvent {
  const data = urlEncodeRow({
    id: String(row.id),
    u: row.u === null ? null : String(row.u),
    v: row.v,
    j: row.j,
  });
  return { type: `${op[0]}:id`, data, table: "public.t" };
}

let bench: ApplyBench;

before(async () => {
  bench = await ApplyBench.start();
  await bench.source.execute(`
    create schema as_set; create schema by_row;
    create table as_set.t (id int8 primary key, u int4 unique, v varchar(10), j jsonb,
      twice int8 generated always as (id * 2) stored, extra text default 'default');
    create table by_row.t (id int8 primary key, u int4 unique, v varchar(10), j jsonb,
      twice int8 generated always as (id * 2) stored, extra text default 'default');
    create function by_row.nothing() returns trigger language plpgsql as 'begin return null; end';
    create trigger nothing after insert or update or delete on by_row.t for each row execute function by_row.nothing();
    alter table by_row.t enable always trigger nothing`);
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

/** what has been read is applied whenever a key comes again */
const pieces = { tableBytes: 1000, totalBytes: 8000, orderedEvents: 10_000, distinctRows: 1 };

const formats = {
  json: () => "json" as const,
  url: () => "url" as const,
  mixed: (nr: number) => (nr % 3 === 0 ? ("url" as const) : ("json" as const)),
};

test("a batch applied as a set leaves what the same events leave one by one, and what the source has", async () => {
  let asSet = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(ids, { maxLength: 4 }),
      steps,
      fc.constantFrom("json" as const, "json" as const, "json" as const, "url" as const, "mixed" as const),
      fc.boolean(),
      fc.boolean(),
      async (startIds, played, format, isLarge, inPieces) => {
        bench.limits = inPieces ? pieces : undefined;
        bench.isScrambled = inPieces;
        const start = startIds.map((id) => ({ id, u: null, v: "start", j: null }));
        const { events, rows } = play(start, played, formats[format]);
        for (const schema of ["as_set", "by_row"]) {
          await bench.source.execute(`truncate ${schema}.t`);
          await bench.source.query(
            `insert into ${schema}.t (id, v, extra) select id, 'start', 'kept' from unnest($1::int8[]) id`,
            [startIds],
          );
        }
        const result = await bench.apply(events, { "public.t": "as_set.t" }, isLarge);
        if (result.rowByRowEvents === 0 && events.length > 1) asSet += 1;
        const reference = await bench.apply(events, { "public.t": "by_row.t" });
        assert.equal(reference.eventCount, events.length);
        const dump = (schema: string) => bench.rows(`select * from ${schema}.t order by id`);
        const bySet = await dump("as_set");
        assert.deepEqual(bySet, await dump("by_row"));
        const expected = await bench.source.query(
          "select r.id, r.u, r.v, r.j::jsonb as j from json_to_recordset($1::json) as r(id int8, u int4, v text, j text) order by id",
          [JSON.stringify(rows)],
        );
        const actual = await bench.source.query("select id, u, v, j from as_set.t order by id");
        assert.deepEqual(actual, expected);
      },
    ),
    { numRuns: 100, endOnFailure: true },
  );
  assert.ok(asSet > 10, `only ${asSet} batches went as a set`);
});
