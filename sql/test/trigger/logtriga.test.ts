import { deepEqual, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { EventLog } from "./event-log.ts";

const fixture = databaseFixture(["pgq"]);

async function withKinds(
  definition: string,
  args: string,
): Promise<EventLog & { execute: (sql: string) => Promise<void> }> {
  const { db } = await fixture.database();
  await db.execute(`select pgq.create_queue('q'); create table t ${definition};
    create trigger l after insert or update or delete on t for each row execute function pgq.logtriga('q', ${args})`);
  return Object.assign(new EventLog(db), { execute: (sql: string) => db.execute(sql) });
}

test("kinds name key, value and ignored columns", async () => {
  const log = await withKinds(`(id int, i text, "a,b" text, more text)`, "'kiv', 'no.effect'");
  deepEqual(await log.of("insert into t values (1, 'i', 'v', 'm')"), [
    { type: "I", data: `(id,"a,b") values ('1','v')`, extra: ["public.t", null, null, null] },
  ]);
  deepEqual(await log.brief(`update t set "a,b" = null, i = 'j'`), [`U / "a,b"=NULL where id='1'`]);
  deepEqual(await log.brief("update t set i = 'k'; update t set more = 'n'"), []);
  deepEqual(await log.brief("update t set id = id"), ["U / id='1' where id='1'"]);
  await rejects(log.execute("update t set id = 2"), /primary key update not allowed/);
  deepEqual(await log.brief("delete from t"), ["D / id='1'"]);
  deepEqual(await log.brief("set session_replication_role = local; insert into t values (5)"), []);
});

test("it follows an altered table", async () => {
  const log = await withKinds("(id int, v text)", "'kvv'");
  await log.of("insert into t values (1, 'a'); insert into t values (2, 'a')");
  deepEqual(await log.brief("alter table t add w int; insert into t values (3, 'a', 5)"), [
    "I / (id,v,w) values ('3','a','5')",
  ]);
  deepEqual(await log.brief("alter table t drop v; insert into t values (4, 5)"), [
    "I / (id,w) values ('4','5')",
  ]);
});

test("what is wrong with a trigger is said when it fires", async () => {
  for (const [trigger, message] of [
    [
      "after insert on t for each row execute function pgq.logtriga('q')",
      /pgq.logtriga must be used with 2 or 3 args/,
    ],
    [
      "before insert on t for each row execute function pgq.logtriga('q', 'kv')",
      /pgq.logtriga must be fired AFTER/,
    ],
    [
      "after insert on t for each row execute function pgq.logtriga('q', 'vv')",
      /need at least one key column/,
    ],
    ["after insert on t for each row execute function pgq.logtriga('q', 'vvk')", /key column does not exist/],
  ] as const) {
    const { db } = await fixture.database();
    await db.execute(
      `select pgq.create_queue('q'); create table t (id int, v text); create trigger l ${trigger}`,
    );
    await rejects(db.execute("insert into t values (1)"), message);
  }
});
