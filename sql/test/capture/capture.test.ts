import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { call, rotate } from "../pgq/queue.ts";
import { EventLog } from "../trigger/event-log.ts";

const fixture = databaseFixture(["pgq"]);

const captureFunctions = "select count(*) from pg_proc where proname ~ '^capture_'";

async function queueDatabase(setUp: string): Promise<{ db: Database; log: EventLog }> {
  const { db } = await fixture.database();
  await db.execute(`select pgq.create_queue('q'); ${setUp}`);
  return { db, log: new EventLog(db) };
}

const everyType = `create type mood as enum ('sad', 'so so'); create type pair as (x int, y text);
  create domain positive as int check (value > 0); create domain moods as mood[];
  create table t (id int8 generated always as identity, "select" text, "a,b" varchar(9), c char(4), b bool, i2 int2, n numeric,
    f float4, d float8, dt date, tm time, ts timestamp, tz timestamptz, iv interval, by bytea, js json, jb jsonb, ar text[],
    ip inet, ci cidr, uu uuid, m mood, ms moods, p positive, pr pair, r int4range, pt point, x xml, v tsvector, oi oid,
    g text generated always as ("select" || '!') stored, "char" "char", mon money, bits bit(3), primary key (id, "select"))`;
const everyValue = `(E'k\\\\1 "x"', 'v&=', 'ab', true, -1, 'NaN', '-0', 'Infinity', '0044-03-15 BC', '11:59:48.5', 'infinity',
  '2024-12-31 23:59:59.000001+00', '1 mon -2 days', '\\x0001ff', '{"a": 1}', '[1, {"b": null}]', E'{NULL,"",a b,"q\\\\"",\\'}',
  '10.0.0.1', '10.0.0.0/8', 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee', 'so so', '{sad,"so so"}', 7, '(,"a b")', '[1,5)',
  '(1,2)', '<a>b</a>', 'a b', 100200300, default, 'c', 12.5, B'101')`;
test("events are those of the trigger functions, in every format and form", async () => {
  const columns = `("select", "a,b", c, b, i2, n, f, d, dt, tm, ts, tz, iv, by, js, jb, ar, ip, ci, uu, m, ms, p, pr, r, pt, x, v, oi, g,
    "char", mon, bits)`;
  for (const [format, flavour] of [
    ["json", "json"],
    ["urlenc", "logu"],
    ["sql", "sql"],
  ]) {
    for (const form of format === "sql" ? ["row"] : ["row", "set"]) {
      const { db, log } = await queueDatabase(`${everyType}; select pgq.create_queue('generic');
        create trigger g after insert or update or delete on t for each row execute function pgq.${flavour}triga('generic');
        select pgq.create_capture('t', 'cap', 'q', '${format}', i_form => '${form}')`);
      const generic = new EventLog(db, "generic");
      for (const statement of [
        `insert into t ${columns} values ${everyValue}, ${everyValue}`,
        `insert into t ("select", ms) values ('', null)`,
        "set timezone = 'Asia/Kathmandu'; update t set i2 = 5",
        "set extra_float_digits = 2; update t set f = 1.00000001, m = null where id < 3",
        "update t set n = n",
        "delete from t",
      ]) {
        const logged = await log.of(statement);
        ok(logged.length > 0);
        deepEqual(logged, await generic.added(), `${format} ${form}: ${statement}`);
      }
    }
  }
});

test("arguments act as those of the trigger functions", async () => {
  const lists = [
    ["ignore=w"],
    ["pkey=id,v"],
    ["backup"],
    ["ev_extra1='other.name'", "ev_extra4='it''s'"],
    ["ev_extra3=upper(v)", "ev_type=id"],
    ["when=id=1"],
    ["ignore=w", "backup", "ev_extra3='hash='||hashtext(v)"],
  ];
  for (const args of lists) {
    const literals = args.map((arg) => `'${arg.replaceAll("'", "''")}'`).join(", ");
    const { db, log } = await queueDatabase(`create table t (id int primary key, v text, w text);
      select pgq.create_queue('generic');
      create trigger g after insert or update or delete on t for each row execute function pgq.logutriga('generic', ${literals});
      select pgq.create_capture('t', 'cap', 'q', 'urlenc', array[${literals}])`);
    const generic = new EventLog(db, "generic");
    for (const statement of [
      "insert into t values (1, 'a', 'b'), (2, 'c', null)",
      "update t set w = 'new'",
      "update t set w = 'x' || id, id = id where id = 1",
      "delete from t",
    ]) {
      deepEqual(await log.of(statement), await generic.added(), `${args.join()}: ${statement}`);
    }
  }
});

test("deny, and what cannot be captured", async () => {
  const { db } = await queueDatabase("create table t (id int primary key, v text)");
  await db.execute("select pgq.create_capture('t', 'cap', 'q', i_args => '{deny}')");
  await rejects(
    db.execute("insert into t values (1)"),
    /Table 'public.t' to queue 'q': change not allowed \(INSERT\)/,
  );
  await rejects(db.execute("truncate t"), /Table 'public.t' to queue 'q': change not allowed \(TRUNCATE\)/);
  const create = (rest: string): Promise<void> =>
    db.execute(`select pgq.create_capture('t', 'cap', ${rest})`);
  await rejects(create("'nosuch'"), /No such event queue/);
  await rejects(create("'q', 'xml'"), /unknown capture format: xml/);
  await rejects(create("'q', i_form => 'best'"), /unknown capture form: best/);
  await rejects(create("'q', i_args => '{nosuch}'"), /bad param to pgq trigger/);
  await rejects(create("'q', i_args => '{SKIP}'"), /SKIP does not work in AFTER trigger/);
  await rejects(
    create("'q', i_args => '{backup}', i_form => 'set'"),
    /set form is not possible for table public.t/,
  );
});

test("only the wanted operations are captured", async () => {
  for (const [events, expected] of [
    ["I", "I:id"],
    ["UD", "U:id D:id"],
    ["IT", "I:id R"],
    ["T", "R"],
  ]) {
    for (const form of ["auto", "row"]) {
      const { log } = await queueDatabase(`create table t (id int primary key);
        select pgq.create_capture('t', 'cap', 'q', 'urlenc', i_events => '${events}', i_form => '${form}')`);
      const types = (
        await log.of("insert into t values (1); update t set id = 1; delete from t; truncate t")
      ).map((event) => event.type);
      equal(types.join(" "), expected);
    }
  }
});

test("creating it again changes nothing, or what is different", async () => {
  const { db, log } = await queueDatabase("create table t (id int primary key, v text)");
  const triggers = (): Promise<unknown> =>
    db.query(
      "select oid, tgname from pg_trigger where tgrelid = 't'::regclass and not tgisinternal order by 2",
    );
  const create = (rest: string): Promise<unknown> =>
    call(db, `pgq.create_capture('t', 'cap', 'q'${rest}) --`);
  equal(await create(""), "set");
  const first = await triggers();
  equal(await create(""), "set");
  deepEqual(await triggers(), first);
  equal(await create(", i_form => 'row'"), "row");
  equal(await create(", 'urlenc', '{backup}', 'IU'"), "row");
  deepEqual(await log.brief("insert into t values (1); update t set v = 'x'; delete from t; truncate t"), [
    "I:id / id=1&v",
    "U:id / id=1&v=x",
  ]);
  equal(await db.queryValue(captureFunctions), 1n, "functions of earlier definitions are gone");
  equal(await call(db, "pgq.drop_capture('t', 'cap') --"), 1);
  equal(await call(db, "pgq.drop_capture('t', 'cap') --"), 0);
  equal(await db.queryValue(captureFunctions), 0n);
  deepEqual(await log.brief("insert into t values (2)"), []);
});

test("dropping one capture leaves the other", async () => {
  const { db, log } =
    await queueDatabase(`create table t (id int primary key); select pgq.create_queue('other');
    select pgq.create_capture('t', 'one', 'q', 'urlenc'); select pgq.create_capture('t', 'two', 'other', 'urlenc')`);
  equal(await call(db, "pgq.drop_capture('t', 'two') --"), 6);
  deepEqual(await log.brief("insert into t values (1)"), ["I:id / id=1"]);
  deepEqual(
    await db.query(
      "select table_name, trigger_name, queue_name, capture_format, form, is_current from pgq.get_capture_info()",
    ),
    [
      {
        table_name: "public.t",
        trigger_name: "one",
        queue_name: "q",
        capture_format: "urlenc",
        form: "set",
        is_current: true,
      },
    ],
  );
});

test("names of 63 bytes and with quotes", async () => {
  const { db } = await fixture.database();
  const queue = `q'u"o\\te`;
  const name = "é".repeat(31);
  await call(db, "pgq.create_queue", queue);
  await db.execute(`create schema "S ""ch"; create table "S ""ch"."T'a.b\\" ("i""d" int primary key)`);
  const table = `"S ""ch"."T'a.b\\"`;
  await db.query("select pgq.create_capture($1::text::regclass, $2, $3)", [table, name, queue]);
  await db.query("select pgq.create_capture($1::text::regclass, $2, $3)", [table, name, queue]);
  equal(await db.queryValue("select count(*) from pg_trigger where not tgisinternal"), 6n);
  const log = new EventLog(db, queue);
  const seen = await log.of(
    `insert into ${table} values (1); update ${table} set "i""d" = 1; delete from ${table}; truncate ${table}`,
  );
  deepEqual(
    seen.map((event) => event.extra[0]),
    Array.from({ length: 4 }, () => `S "ch.T'a.b\\`),
  );
  equal(seen[0]?.data, String.raw`{"i\"d":1}`);
});

test("events go to the current table, and limits and switches of the queue hold", async () => {
  for (const form of ["row", "set"]) {
    const { db } = await queueDatabase(`create table t (id int primary key);
      select pgq.create_capture('t', 'cap', 'q', i_form => '${form}')`);
    const places = (): Promise<unknown> =>
      db.query(
        "select tableoid::regclass::text as place, count(*)::int as n from pgq.event_1 group by 1 order by 1",
      );
    await db.execute("insert into t values (1)");
    await rotate(db, "q");
    await db.execute("insert into t values (2), (3)");
    deepEqual(await places(), [
      { place: "pgq.event_1_0", n: 1 },
      { place: "pgq.event_1_1", n: 2 },
    ]);
    await db.execute("update pgq.queue set queue_per_tx_limit = 2");
    await db.execute("insert into t values (4), (5)");
    await rejects(
      db.execute("insert into t values (6), (7), (8)"),
      /Queue 'q' allows max 2 events from one TX/,
    );
    await db.execute("update pgq.queue set queue_per_tx_limit = null, queue_disable_insert = true");
    await rejects(db.execute("insert into t values (9)"), /Insert into queue disallowed/);
    await db.execute(
      "set session_replication_role = local; insert into t values (9); reset session_replication_role",
    );
    await db.execute("set session_replication_role = replica; insert into t values (10)");
    for (const name of ["cap", "cap_insert", "cap_update", "cap_delete", "cap_begin"].slice(
      0,
      form === "row" ? 1 : 5,
    )) {
      await db.execute(`alter table t enable always trigger ${name}`);
    }
    await db.execute("insert into t values (11), (12)");
    equal(await db.queryValue("select count(*) from pgq.event_1"), 7n);
    await db.execute(
      "reset session_replication_role; update pgq.queue set queue_disable_insert = false, queue_name = 'renamed'",
    );
    await rejects(db.execute("insert into t values (13)"), /No such queue/);
  }
});

test("a queue that is dropped and created again is written to again", async () => {
  const { db } = await queueDatabase(
    `create table t (id int primary key); select pgq.create_capture('t', 'cap', 'q')`,
  );
  await db.execute("insert into t values (1); select pgq.drop_queue('q'); select pgq.create_queue('q')");
  await db.execute("insert into t values (2)");
  equal(await db.queryValue("select count(*) from pgq.event_2"), 1n);
  equal(await call(db, "pgq.refresh_captures"), 0);
  match(
    (await db.queryValue<string>("select prosrc from pg_proc where proname ~ '^capture_json_\\d+$'")) ?? "",
    /event_2_0/,
  );
});

test("refreshing drops what nothing uses", async () => {
  const { db } =
    await queueDatabase(`create table t (id int primary key); create table u (id int primary key);
    select pgq.create_capture('t', 'cap', 'q'), pgq.create_capture('u', 'cap', 'q');
    create trigger g after insert on t for each row execute function pgq.logutriga('q');
    create trigger g after insert on u for each row execute function pgq.logutriga('q');
    insert into t values (1); insert into u values (1); drop table t; drop trigger g on u`);
  equal(await call(db, "pgq.refresh_captures"), 0);
  equal(await db.queryValue(captureFunctions), 2n);
  equal(await db.queryValue("select count(*) from pg_proc where proname ~ '^row_(urlenc|json|sql)_'"), 0n);
  await db.execute("insert into u values (2)");
});

test("a table that was restored under another number", async () => {
  const { db, log } = await queueDatabase(`create table t (id int primary key, v text);
    select pgq.create_capture('t', 'cap', 'q', 'urlenc')`);
  const definitions = await db.query<{ sql: string }>(
    `select pg_get_triggerdef(oid) as sql from pg_trigger where tgrelid = 't'::regclass and not tgisinternal`,
  );
  await db.execute("drop table t; create table t (id int primary key, v text)");
  for (const { sql } of definitions) await db.execute(sql);
  deepEqual(await log.brief("insert into t values (1, 'a'), (2, 'b')"), [
    "I:id / id=1&v=a",
    "I:id / id=2&v=b",
  ]);
  deepEqual(await log.brief("update t set v = 'c' where id = 1"), ["U:id / id=1&v=c"]);
  equal(await db.queryValue("select form || is_current from pgq.get_capture_info()"), "rowtrue");
  equal(await call(db, "pgq.create_capture('t', 'cap', 'q', 'urlenc') --"), "set");
  equal(await db.queryValue("select form || is_current from pgq.get_capture_info()"), "settrue");
  deepEqual(await log.brief("insert into t values (3, 'c')"), ["I:id / id=3&v=c"]);
});
