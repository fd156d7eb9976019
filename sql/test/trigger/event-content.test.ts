import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { EventLog } from "./event-log.ts";
import { renderings } from "./type-renderings.ts";

const fixture = databaseFixture(["pgq"]);

async function queueDatabase(setUp: string): Promise<{ db: Database; log: EventLog }> {
  const { db } = await fixture.database();
  await db.execute(`select pgq.create_queue('q'); set timezone = 'UTC'; ${setUp}`);
  return { db, log: new EventLog(db) };
}

/** Triggers t_0 json, t_1 urlencoded, t_2 partial SQL. */
function threeTriggers(table: string, args = ""): string {
  return ["json", "logu", "sql"]
    .map(
      (flavour, at) =>
        `create trigger t_${at} after insert or update or delete on ${table} for each row
           execute function pgq.${flavour}triga('q'${args});`,
    )
    .join("");
}

const jsonType = (op: string): string => `{"op":"${op}","table":["public","t"],"pkey":["id"]}`;

test("insert, update and delete in the three formats", async () => {
  const { log } = await queueDatabase(
    `create table t (id serial primary key, txt text, val float); ${threeTriggers("t")}`,
  );
  deepEqual(await log.of("insert into t (txt) values ('text1')"), [
    {
      type: jsonType("INSERT"),
      data: '{"id":1,"txt":"text1","val":null}',
      extra: ["public.t", null, null, null],
    },
    { type: "I:id", data: "id=1&txt=text1&val", extra: ["public.t", null, null, null] },
    { type: "I", data: "(id,txt,val) values ('1','text1',null)", extra: ["public.t", null, null, null] },
  ]);
  deepEqual(await log.brief("insert into t (val) values (1.5)"), [
    `${jsonType("INSERT")} / {"id":2,"txt":null,"val":"1.5"}`,
    "I:id / id=2&txt&val=1.5",
    "I / (id,txt,val) values ('2',null,'1.5')",
  ]);
  deepEqual(await log.brief("update t set txt = 'text2' where id = 1"), [
    `${jsonType("UPDATE")} / {"id":1,"txt":"text2","val":null}`,
    "U:id / id=1&txt=text2&val",
    "U / txt='text2' where id='1'",
  ]);
  deepEqual(await log.brief("delete from t where id = 2"), [
    `${jsonType("DELETE")} / {"id":2,"txt":null,"val":"1.5"}`,
    "D:id / id=2&txt&val=1.5",
    "D / id='2'",
  ]);
});

test("an update that changes nothing is an event", async () => {
  const { log } = await queueDatabase(
    `create table t (b text, id int, primary key (id, b)); ${threeTriggers("t")} insert into t values ('x', 1)`,
  );
  await log.added();
  deepEqual((await log.brief("update t set b = b")).slice(1), [
    "U:id,b / b=x&id=1",
    "U / b='x' where b='x' and id='1'",
  ]);
});

test("without a key inserts are logged, updates and deletes refused", async () => {
  for (const flavour of ["json", "logu", "sql"]) {
    const { db, log } = await queueDatabase(`create table t (id int);
      create trigger t_0 after insert or update or delete on t for each row execute function pgq.${flavour}triga('q')`);
    equal((await log.of("insert into t values (1)")).length, 1);
    await rejects(db.execute("update t set id = 1"), /Update\/Delete on table without pkey/);
    await rejects(db.execute("delete from t"), /Update\/Delete on table without pkey/);
  }
});

test("a changed key is refused", async () => {
  for (const flavour of ["json", "logu", "sql"]) {
    const { db } = await queueDatabase(`create table t (id int primary key); insert into t values (1);
      create trigger t_0 after insert or update or delete on t for each row execute function pgq.${flavour}triga('q')`);
    await rejects(db.execute("update t set id = 2"), /primary key update not allowed/);
  }
});

test("INCLUDE columns are not key columns, renamed ones keep up, and key order is index order", async () => {
  const { log } = await queueDatabase(
    `create table t (a int, b int, c int, d int, primary key (c, b) include (a)); ${threeTriggers("t")}`,
  );
  await log.of("insert into t values (1, 2, 3, 4)");
  deepEqual((await log.brief("update t set a = 5")).slice(1), [
    "U:c,b / a=5&b=2&c=3&d=4",
    "U / a='5' where b='2' and c='3'",
  ]);
  deepEqual((await log.brief("alter table t rename c to new_c; delete from t")).slice(1), [
    "D:new_c,b / a=5&b=2&new_c=3&d=4",
    "D / b='2' and new_c='3'",
  ]);
});

test("truncate", async () => {
  const { log } = await queueDatabase(
    `create table t (id int primary key);
     ${["json", "logu", "sql"]
       .map(
         (flavour) =>
           `create trigger t_${flavour} after truncate on t for each statement execute function pgq.${flavour}triga('q');`,
       )
       .join("")}`,
  );
  deepEqual(await log.brief("truncate t"), [`${jsonType("TRUNCATE")} / {}`, "R / ", "R / "]);
});

test("every type is written by its output function", async () => {
  const { db, log } = await queueDatabase(
    "create domain positive as int check (value > 0); create type mood as enum ('sad', 'so so')",
  );
  for (const [type, value, ...texts] of renderings) {
    const [json, jsonArray, url, urlArray, sql, sqlArray] = texts;
    await db.execute(`drop table if exists t;
      create table t (nr int4, val ${type} default ${value}, arr ${type}[] default array[${value}, ${value}]::${type}[]);
      ${threeTriggers("t")}`);
    deepEqual(
      (await log.of("insert into t values (1)")).map((event) => event.data),
      [
        `{"nr":1,"val":${json},"arr":${jsonArray}}`,
        `nr=1&${url}&${urlArray}`,
        `(nr,val,arr) values ('1',${sql},${sqlArray})`,
      ],
      type,
    );
  }
});

test("JSON writes dates and times as ISO whatever the session's DateStyle and time zone", async () => {
  const { log } =
    await queueDatabase(`create table t (id int primary key, d date, ts timestamp, tz timestamptz);
    create trigger j after insert on t for each row execute function pgq.jsontriga('q');
    create trigger u after insert on t for each row execute function pgq.logutriga('q')`);
  deepEqual(
    await log.brief(`set datestyle = 'sql, dmy'; set timezone = 'Asia/Kathmandu';
      insert into t values (1, '2024-12-31', '2024-12-31 23:59:59.5', '2024-12-31 00:00:00.000001+00')`),
    [
      `${jsonType("INSERT")} / {"id":1,"d":"2024-12-31","ts":"2024-12-31T23:59:59.5","tz":"2024-12-31T05:45:00.000001+05:45"}`,
      "I:id / id=1&d=31%2f12%2f2024&ts=31%2f12%2f2024+23%3a59%3a59.5&tz=31%2f12%2f2024+05%3a45%3a00.000001+%2b0545",
    ],
  );
});

test("names are written as they are, encoded", async () => {
  const { log } = await queueDatabase(
    `create schema "S ch"; create table "S ch"."T.a""b" ("I d" int primary key, "select" text, "é" text);
     ${threeTriggers('"S ch"."T.a""b"')}`,
  );
  const extra = ['S ch.T.a"b', null, null, null];
  deepEqual(await log.of(`insert into "S ch"."T.a""b" values (1, '', 'é')`), [
    {
      type: String.raw`{"op":"INSERT","table":["S ch","T.a\"b"],"pkey":["I d"]}`,
      data: '{"I d":1,"select":"","é":"é"}',
      extra,
    },
    { type: "I:I d", data: "I+d=1&select=&%c3%a9=%c3%a9", extra },
    { type: "I", data: `("I d","select","é") values ('1','','é')`, extra },
  ]);
});

test("a table of 300 columns", async () => {
  const columns = Array.from({ length: 300 }, (_, at) => `c${at} int`);
  const { log } = await queueDatabase(
    `create table t (${columns.join(", ")}, primary key (c0)); ${threeTriggers("t")}`,
  );
  const [json, url] = await log.of("insert into t values (1, 2)");
  equal(Object.keys(JSON.parse(json?.data ?? "") as object).length, 300);
  equal(url?.data?.split("&").length, 300);
  deepEqual((await log.brief("update t set c299 = 5")).at(-1), "U / c299='5' where c0='1'");
});

test("virtual generated columns are not logged, stored ones are", async (context) => {
  const { db, log } = await queueDatabase("");
  if (db.serverVersion < 180000) {
    context.skip("virtual generated columns came with PostgreSQL 18");
    return;
  }
  await db.execute(`create table t (id int primary key, v int generated always as (id * 2), s int generated always as (id * 3) stored);
    ${threeTriggers("t")} select pgq.create_queue('q2'); select pgq.create_capture('t', 'cap', 'q2', 'urlenc')`);
  deepEqual(await log.brief("insert into t values (1)"), [
    `${jsonType("INSERT")} / {"id":1,"s":3}`,
    "I:id / id=1&s=3",
    "I / (id,s) values ('1','3')",
  ]);
  deepEqual(await new EventLog(db, "q2").brief("select 1"), ["I:id / id=1&s=3"]);
});
