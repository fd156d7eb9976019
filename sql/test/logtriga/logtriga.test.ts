import { deepEqual, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";

const fixture = databaseFixture(["logtriga"]);

/** Table t with the trigger, whose query writes into table log.
 * @returns a function that runs statements and returns what they logged */
async function logged(
  definition: string,
  kinds: string,
): Promise<{ db: Database; log: (sql: string) => Promise<string[]> }> {
  const { db } = await fixture.database();
  await db.execute(`create table log (n serial, op text, data text); create table t ${definition};
    create trigger l after insert or update or delete on t for each row
      execute function logtriga('${kinds}', 'insert into log (op, data) values ($1, $2)')`);
  return {
    db,
    log: async (sql) => {
      await db.execute(sql);
      const rows = await db.query<{ line: string }>(
        "with d as (delete from log returning *) select op || ' ' || data as line from d order by n",
      );
      return rows.map((row) => row.line);
    },
  };
}

test("key and value columns: the three forms", async () => {
  const { log } = await logged("(id int primary key, v text)", "kv");
  deepEqual(await log("insert into t values (1, null)"), ["I (id,v) values ('1',null)"]);
  deepEqual(await log(String.raw`update t set v = 'a\b''c'`), [String.raw`U v=E'a\\b''c' where id='1'`]);
  deepEqual(await log("update t set v = null"), ["U v=NULL where id='1'"]);
  deepEqual(await log("update t set v = v"), ["U id='1' where id='1'"]);
  deepEqual(await log("delete from t"), ["D id='1'"]);
});

test("columns beyond the kinds are not looked at", async () => {
  const { log } = await logged("(id int primary key, v text)", "kv");
  await log("alter table t add more text");
  deepEqual(await log("insert into t values (1, 'x', 'more')"), ["I (id,v) values ('1','x')"]);
  deepEqual(await log("update t set more = 'other'"), ["U id='1' where id='1'"]);
  await log("alter table t alter v type varchar, alter id type numeric");
  deepEqual(await log("update t set v = 'y', id = 1.0"), ["U v='y' where id='1'"]);
});

test("ignored columns are left out, and changes of them alone", async () => {
  const { log } = await logged("(id int primary key, i text, v text)", "kiv");
  deepEqual(await log("insert into t values (1, 'i', 'v')"), ["I (id,v) values ('1','v')"]);
  deepEqual(await log("update t set i = 'j'"), []);
  deepEqual(await log("update t set i = 'k', v = 'w'"), ["U v='w' where id='1'"]);
});

test("a key may change, but not be NULL", async () => {
  const { db, log } = await logged('(v text, i text, "Key" text)', "vik");
  await log("insert into t values ('a', 'b', 'one')");
  deepEqual(await log(`update t set "Key" = 'two'`), [`U "Key"='two' where "Key"='one'`]);
  deepEqual(await log(`update t set "Key" = null`), [`U "Key"=NULL where "Key"='two'`]);
  await rejects(db.execute("update t set v = 'c'"), /logtriga: Unexpected NULL key value/);
  await rejects(db.execute("delete from t"), /logtriga: Unexpected NULL key value/);
});

test("values compare by their type, and are written by its output function", async () => {
  const { log } = await logged(
    "(id int primary key, n numeric, c char(4), a int[], j json, b bool, p point, by text)",
    "kvvvvvvv",
  );
  deepEqual(await log(`insert into t values (1, 1.0, 'ab', '{1}', '{"a":1}', true, '(1,2)', 'x')`), [
    `I (id,n,c,a,j,b,p,by) values ('1','1.0','ab  ','{1}','{"a":1}','t','(1,2)','x')`,
  ]);
  deepEqual(await log("update t set n = 1.00, c = 'ab'"), ["U id='1' where id='1'"]);
  deepEqual(await log(`update t set j = '{"a": 1}', a = '{1,2}'`), [`U a='{1,2}',j='{"a": 1}' where id='1'`]);
  deepEqual(await log("update t set p = '(1,3)'"), ["U p='(1,3)' where id='1'"]);
});

test("what is wrong with a trigger is said when it fires", async () => {
  for (const [trigger, message] of [
    [
      "after insert on t for each row execute function logtriga('kv')",
      /logtriga must be defined with 2 args/,
    ],
    ["before insert on t for each row execute function logtriga('kv', '')", /logtriga must be fired AFTER/],
    [
      "after insert on t for each statement execute function logtriga('kv', '')",
      /logtriga must be fired FOR EACH ROW/,
    ],
    [
      "after insert on t for each row execute function logtriga('vv', '')",
      /logtriga: need at least one key column/,
    ],
    [
      "after insert on t for each row execute function logtriga('vvk', '')",
      /logtriga: key column does not exist/,
    ],
  ] as const) {
    const { db } = await fixture.database();
    await db.execute(`create table t (id int, v text); create trigger l ${trigger}`);
    await rejects(db.execute("insert into t values (1)"), message);
  }
});
