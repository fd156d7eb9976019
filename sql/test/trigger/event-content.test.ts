import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { EventLog } from "./event-log.ts";

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

/** Type, default, then val and arr in JSON, url encoding and SQL. */
const renderings: readonly (readonly [string, string, ...string[]])[] = [
  ["text", "null", "null", '"{NULL,NULL}"', "val", "arr=%7bNULL%2cNULL%7d", "null", "'{NULL,NULL}'"],
  [
    "text",
    `'''"quoted\\string$%,@"'''`,
    String.raw`"'\"quoted\\string$%,@\"'"`,
    String.raw`"{\"'\\\"quoted\\\\string$%,@\\\"'\",\"'\\\"quoted\\\\string$%,@\\\"'\"}"`,
    "val=%27%22quoted%5cstring%24%25%2c%40%22%27",
    "arr=%7b%22%27%5c%22quoted%5c%5cstring%24%25%2c%40%5c%22%27%22%2c%22%27%5c%22quoted%5c%5cstring%24%25%2c%40%5c%22%27%22%7d",
    String.raw`E'''"quoted\\string$%,@"'''`,
    String.raw`E'{"''\\"quoted\\\\string$%,@\\"''","''\\"quoted\\\\string$%,@\\"''"}'`,
  ],
  [
    "bytea",
    "'\\x00ff01'",
    String.raw`"\\x00ff01"`,
    String.raw`"{\"\\\\x00ff01\",\"\\\\x00ff01\"}"`,
    "val=%5cx00ff01",
    "arr=%7b%22%5c%5cx00ff01%22%2c%22%5c%5cx00ff01%22%7d",
    String.raw`E'\\x00ff01'`,
    String.raw`E'{"\\\\x00ff01","\\\\x00ff01"}'`,
  ],
  ["bool", "true", "true", '"{t,t}"', "val=t", "arr=%7bt%2ct%7d", "'t'", "'{t,t}'"],
  [
    "timestamptz",
    "'2009-09-19 11:59:48.599'",
    '"2009-09-19T11:59:48.599+00:00"',
    String.raw`"{\"2009-09-19 11:59:48.599+00\",\"2009-09-19 11:59:48.599+00\"}"`,
    "val=2009-09-19+11%3a59%3a48.599%2b00",
    "arr=%7b%222009-09-19+11%3a59%3a48.599%2b00%22%2c%222009-09-19+11%3a59%3a48.599%2b00%22%7d",
    "'2009-09-19 11:59:48.599+00'",
    `'{"2009-09-19 11:59:48.599+00","2009-09-19 11:59:48.599+00"}'`,
  ],
  [
    "timestamp",
    "'0044-03-15 12:00 BC'",
    '"0044-03-15T12:00:00 BC"',
    String.raw`"{\"0044-03-15 12:00:00 BC\",\"0044-03-15 12:00:00 BC\"}"`,
    "val=0044-03-15+12%3a00%3a00+BC",
    "arr=%7b%220044-03-15+12%3a00%3a00+BC%22%2c%220044-03-15+12%3a00%3a00+BC%22%7d",
    "'0044-03-15 12:00:00 BC'",
    `'{"0044-03-15 12:00:00 BC","0044-03-15 12:00:00 BC"}'`,
  ],
  [
    "date",
    "'infinity'",
    '"infinity"',
    '"{infinity,infinity}"',
    "val=infinity",
    "arr=%7binfinity%2cinfinity%7d",
    "'infinity'",
    "'{infinity,infinity}'",
  ],
  [
    "int8",
    "-9223372036854775808",
    "-9223372036854775808",
    '"{-9223372036854775808,-9223372036854775808}"',
    "val=-9223372036854775808",
    "arr=%7b-9223372036854775808%2c-9223372036854775808%7d",
    "'-9223372036854775808'",
    "'{-9223372036854775808,-9223372036854775808}'",
  ],
  ["numeric", "'NaN'", '"NaN"', '"{NaN,NaN}"', "val=NaN", "arr=%7bNaN%2cNaN%7d", "'NaN'", "'{NaN,NaN}'"],
  [
    "float",
    "1e100",
    '"1e+100"',
    '"{1e+100,1e+100}"',
    "val=1e%2b100",
    "arr=%7b1e%2b100%2c1e%2b100%7d",
    "'1e+100'",
    "'{1e+100,1e+100}'",
  ],
  [
    "char(4)",
    "'ab'",
    '"ab  "',
    String.raw`"{\"ab  \",\"ab  \"}"`,
    "val=ab++",
    "arr=%7b%22ab++%22%2c%22ab++%22%7d",
    "'ab  '",
    `'{"ab  ","ab  "}'`,
  ],
  [
    "inet",
    "'10.0.0.1'",
    '"10.0.0.1"',
    '"{10.0.0.1,10.0.0.1}"',
    "val=10.0.0.1",
    "arr=%7b10.0.0.1%2c10.0.0.1%7d",
    "'10.0.0.1'",
    "'{10.0.0.1,10.0.0.1}'",
  ],
  [
    "box",
    "'((3,4),(1,2))'",
    '"(3,4),(1,2)"',
    '"{(3,4),(1,2);(3,4),(1,2)}"',
    "val=%283%2c4%29%2c%281%2c2%29",
    "arr=%7b%283%2c4%29%2c%281%2c2%29%3b%283%2c4%29%2c%281%2c2%29%7d",
    "'(3,4),(1,2)'",
    "'{(3,4),(1,2);(3,4),(1,2)}'",
  ],
  [
    "jsonb",
    `'{"a": 1}'`,
    String.raw`"{\"a\": 1}"`,
    String.raw`"{\"{\\\"a\\\": 1}\",\"{\\\"a\\\": 1}\"}"`,
    "val=%7b%22a%22%3a+1%7d",
    "arr=%7b%22%7b%5c%22a%5c%22%3a+1%7d%22%2c%22%7b%5c%22a%5c%22%3a+1%7d%22%7d",
    `'{"a": 1}'`,
    String.raw`E'{"{\\"a\\": 1}","{\\"a\\": 1}"}'`,
  ],
  ["positive", "7", '"7"', '"{7,7}"', "val=7", "arr=%7b7%2c7%7d", "'7'", "'{7,7}'"],
  [
    "mood",
    "'so so'",
    '"so so"',
    String.raw`"{\"so so\",\"so so\"}"`,
    "val=so+so",
    "arr=%7b%22so+so%22%2c%22so+so%22%7d",
    "'so so'",
    `'{"so so","so so"}'`,
  ],
];

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
