import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { type Database, DatabaseError } from "@skytools/skytools";
import fc from "fast-check";
import { databaseFixture } from "../fixture.ts";
import { difference, replayFunction } from "./replay.ts";

// Random statements on a table; after each of them its events are replayed, one by one and strictly, on a copy. Both have
// to be equal. A statement that fails (unique keys) logs nothing.

const fixture = databaseFixture(["pgq"]);

const id = fc.integer({ min: 1, max: 8 });
const text = fc.oneof(
  fc.constantFrom(
    "null",
    "''",
    "'NULL'",
    "' '",
    "'\\'",
    "E'a\\nb\\tc'",
    "'\"q\"'",
    "'it''s'",
    "'{a,b}'",
    "'é𝄞'",
  ),
  fc
    .string({ unit: "binary", maxLength: 12 })
    .map((value) => `'${value.replaceAll("\0", "").replaceAll("'", "''")}'`),
);
const values = fc
  .record({ id, v: text, u: fc.option(id) })
  .map((row) => `(${row.id}, ${row.v}, ${row.u ?? "null"})`);
const rows = fc.array(values, { minLength: 1, maxLength: 4 }).map((all) => all.join(", "));
const condition = fc.oneof(
  id.map((value) => `t.id = ${value}`),
  id.map((value) => `t.id > ${value}`),
  id.map((value) => `t.u < ${value}`),
  fc.constant("true"),
  fc.constant("false"),
);
const assignment = fc.oneof(
  text.map((value) => `v = ${value}`),
  fc.constantFrom(
    "u = t.u + 1",
    "u = null",
    "v = t.v",
    "id = t.id + 10",
    "id = t.id - 1",
    "id = 9 - t.id",
    "id = 1",
  ),
  fc.tuple(id, text).map(([value, v]) => `id = ${value}, v = ${v}`),
);
const limit = fc.constantFrom("", "limit 1", "limit 2");

const statement = fc.oneof(
  rows.map((all) => `insert into t (id, v, u) values ${all}`),
  fc
    .tuple(
      rows,
      fc.constantFrom(
        "nothing",
        "(id) do update set v = excluded.v",
        "(id) do update set id = excluded.id + 1",
      ),
    )
    .map(
      ([all, action]) =>
        `insert into t (id, v, u) values ${all} on conflict ${action.startsWith("(") ? "" : "do "}${action}`,
    ),
  fc.tuple(assignment, condition).map(([set, where]) => `update t set ${set} where ${where}`),
  condition.map((where) => `delete from t where ${where}`),
  fc.tuple(condition, limit).map(
    ([where, some]) => `with d as (delete from t where ${where} returning *)
      insert into t (id, v, u) select id, v || '+', u from d ${some}`,
  ),
  fc.tuple(condition, assignment, condition, limit).map(
    ([where, set, which, some]) => `with d as (delete from t where ${where} returning *)
      update t set ${set} from (select * from d ${some}) x where ${which}`,
  ),
  fc.tuple(condition, assignment, condition, limit).map(
    ([where, set, which, some]) => `with d as (delete from t where ${where} returning *),
      u as (update t set ${set} from (select * from d ${some}) x where ${which} returning t.*)
      insert into t (id, v, u) select id, v, null from d where id not in (select id from u) ${some}`,
  ),
  fc.tuple(rows, condition).map(
    ([all, where]) => `merge into t using (values ${all}) s(id, v, u) on s.id = t.id
      when matched and ${where} then delete when matched then update set v = s.v::text
      when not matched then insert (id, v, u) values (s.id, s.v::text, s.u::int)`,
  ),
  fc.constant("truncate t"),
  fc.tuple(values, values).map(
    ([first, second]) => `begin; insert into t (id, v, u) values ${first};
        do $body$ begin update t set v = 'undone'; insert into t (id, v, u) values ${second}; raise unique_violation;
          exception when unique_violation then null; end $body$;
        update t set v = 'tx' where id < 4; commit`,
  ),
);

/** Alterations of the table, and of its copy. */
const alteration = fc.constantFrom(
  "add column if not exists more int default 5",
  "drop column if exists more",
  "alter v type varchar",
  "alter v type text",
  "alter u type bigint",
  "add column if not exists b bytea default '\\x0001'",
  "add column if not exists n numeric default 'NaN'",
  "drop column if exists n",
  "add column if not exists o int default 1",
  "add column if not exists f float8 default 0.1",
  "drop constraint t_key, add constraint t_key primary key (id)",
);

const step = fc.oneof(
  { weight: 12, arbitrary: statement.map((sql) => ({ sql, isAlteration: false })) },
  { weight: 1, arbitrary: alteration.map((sql) => ({ sql, isAlteration: true })) },
);

for (const form of ["set", "row"]) {
  test(`replaying the events of random statements gives an equal table: ${form} form`, async () => {
    const { db } = await fixture.database();
    await db.execute(`${replayFunction} select pgq.create_queue('q')`);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const columns = "(id int constraint t_key primary key, v text, u int, constraint t_u unique (u))";
        await db.execute(`drop table if exists t, copy; create table t ${columns};
          create table copy ${columns.replaceAll("t_", "copy_")};
          select pgq.create_capture('t', 'cap', 'q', i_form => '${form}')`);
        for (const { sql, isAlteration } of steps) {
          if (isAlteration) {
            await db.execute(`alter table t ${sql}; alter table copy ${sql.replaceAll("t_key", "copy_key")}`);
            continue;
          }
          await executeOrFail(db, sql);
          await db.execute("select replay('q', 'copy')");
          deepEqual(await difference(db, "t", "copy"), [], sql);
        }
      }),
      { numRuns: 60, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
    );
  });
}

/** Runs a statement that may violate a constraint. */
async function executeOrFail(db: Database, sql: string): Promise<void> {
  try {
    await db.execute(sql);
  } catch (error) {
    await db.execute("rollback");
    // 23505 unique violation; 21000 a row is met twice; 22021 a character that UTF-8 does not have; MERGE before 15
    const expected = ["23505", "21000", "22021", ...(db.serverVersion < 150000 ? ["42601"] : [])];
    if (!(error instanceof DatabaseError) || !expected.includes(error.sqlState ?? "")) throw error;
  }
}
