import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { EventLog } from "./event-log.ts";

const fixture = databaseFixture(["pgq"]);
const rowEvents = "after insert or update or delete";

async function triggered(
  table: string,
  flavour: string,
  args: readonly string[],
  events = rowEvents,
): Promise<{ db: Database; log: EventLog }> {
  const { db } = await fixture.database();
  await db.execute(`select pgq.create_queue('q'); create table t ${table};
    create trigger x ${events} on t for each ${events.includes("truncate") ? "statement" : "row"}
      execute function pgq.${flavour}triga(${["q", ...args].map((arg) => `'${arg.replaceAll("'", "''")}'`).join(", ")})`);
  return { db, log: new EventLog(db) };
}

test("ignore= leaves columns out, and changes of them alone", async () => {
  const table = "(dat1 text primary key, col1 text, col2 text)";
  const steps = [
    "insert into t values ('a', 'col1', 'col2')",
    "update t set col1 = 'col1y', col2 = 'col2y'",
    "update t set col2 = 'col2z'",
    "update t set col2 = col2",
    "delete from t",
  ];
  const url = await triggered(table, "logu", ["ignore=col2"]);
  const sql = await triggered(table, "sql", ["ignore=col2"]);
  const seen: string[][] = [];
  for (const step of steps) seen.push([...(await url.log.brief(step)), ...(await sql.log.brief(step))]);
  deepEqual(seen, [
    ["I:dat1 / dat1=a&col1=col1", "I / (dat1,col1) values ('a','col1')"],
    ["U:dat1 / dat1=a&col1=col1y", "U / col1='col1y' where dat1='a'"],
    [],
    ["U:dat1 / dat1=a&col1=col1y", "U / dat1='a' where dat1='a'"],
    ["D:dat1 / dat1=a&col1=col1y", "D / dat1='a'"],
  ]);
});

test("pkey= replaces the primary key", async () => {
  const { db, log } = await triggered("(nr int4, col1 text, col2 text)", "sql", ["pkey=nr,col1"]);
  await log.of("insert into t values (1, 'col1', 'col2')");
  deepEqual(await log.brief("update t set col2 = 'col2x'"), [
    "U / col2='col2x' where nr='1' and col1='col1'",
  ]);
  await rejects(db.execute("update t set col1 = 'other'"), /primary key update not allowed/);
  deepEqual(await log.brief("delete from t"), ["D / nr='1' and col1='col1'"]);
});

test("pkey= that names no column raises for partial SQL, which would otherwise have no where clause", async () => {
  const { db, log } = await triggered("(nr int4)", "sql", ["pkey=nosuch"]);
  deepEqual(await log.brief("insert into t values (1)"), ["I / (nr) values ('1')"]);
  await rejects(db.execute("delete from t"), /pkey= names no column of the table/);
});

test("a NULL key raises for partial SQL, which readers could not parse", async () => {
  const { db, log } = await triggered("(a int, b int)", "sql", ["pkey=a"]);
  deepEqual(await log.brief("insert into t values (null, 1)"), ["I / (a,b) values (null,'1')"]);
  await rejects(db.execute("update t set b = 2"), /logtriga: Unexpected NULL key value/);
  await rejects(db.execute("delete from t"), /logtriga: Unexpected NULL key value/);
});

test("backup stores the old row of an update", async () => {
  const table = "(nr int4 primary key, col1 text, stamp date)";
  const steps = "insert into t values (1, 'text', '1999-02-03'); update t set col1 = 'new'; delete from t";
  const url = (await triggered(table, "logu", ["backup"])).log;
  deepEqual(
    (await url.of(steps)).map((event) => event.extra[1]),
    [null, "nr=1&col1=text&stamp=1999-02-03", null],
  );
  const json = (await triggered(table, "json", ["backup"])).log;
  deepEqual(
    (await json.of(steps)).map((event) => event.extra[1]),
    [null, '{"nr":1,"col1":"text","stamp":"1999-02-03"}', null],
  );
  const sql = (await triggered(table, "sql", ["backup"])).log;
  equal((await sql.of(steps))[1]?.extra[1], "nr=1&col1=text&stamp=1999-02-03");
});

test("deny refuses every operation, and the missing key comes first", async () => {
  for (const flavour of ["json", "logu", "sql"]) {
    const { db } = await triggered("(id int primary key)", flavour, ["deny"]);
    const denied = (operation: string): RegExp =>
      new RegExp(`^Error: Table 'public.t' to queue 'q': change not allowed \\(${operation}\\)`);
    await rejects(db.execute("insert into t values (1)"), matching(denied("INSERT")));
    await db.execute(
      "set session_replication_role = local; insert into t values (1); reset session_replication_role",
    );
    await rejects(db.execute("update t set id = 1"), matching(denied("UPDATE")));
    await rejects(db.execute("delete from t"), matching(denied("DELETE")));
    await db.execute("alter table t drop constraint t_pkey");
    await rejects(db.execute("delete from t"), /Update\/Delete on table without pkey/);
    await db.execute(
      `create trigger y after truncate on t for each statement execute function pgq.${flavour}triga('q', 'deny')`,
    );
    await rejects(db.execute("truncate t"), matching(denied("TRUNCATE")));
  }
});

function matching(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof Error && pattern.test(`Error: ${serverText(error)}`);
}

function serverText(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

test("SKIP logs and suppresses, before triggers only", async () => {
  const { db, log } = await triggered(
    "(id int primary key)",
    "logu",
    ["SKIP"],
    "before insert or update or delete",
  );
  deepEqual(await log.brief("insert into t values (1)"), ["I:id / id=1"]);
  equal(await db.queryValue("select count(*) from t"), 0n);
  deepEqual(
    await log.brief(
      "set session_replication_role = local; insert into t values (2); reset session_replication_role",
    ),
    [],
  );
  equal(await db.queryValue("select count(*) from t"), 1n, "in role local the row passes");

  const later = await triggered("(id int primary key)", "logu", ["SKIP"]);
  await rejects(later.db.execute("insert into t values (1)"), /SKIP does not work in AFTER trigger\./);
});

test("expressions override fields, over NEW or, for DELETE, OLD", async () => {
  const { log } = await triggered("(nr int4 primary key, col1 text, col2 text)", "logu", [
    "ev_extra1=(nr+3)::text",
    "ev_extra2=col1||col2",
    "ev_extra3=$$333$$",
    "ev_extra4='444'",
    "ev_type=$$badidea$$",
  ]);
  deepEqual(
    await log.of("insert into t values (1, 'col1', 'col2'); update t set col1 = null; delete from t"),
    [
      { type: "badidea", data: "nr=1&col1=col1&col2=col2", extra: ["4", "col1col2", "333", "444"] },
      { type: "badidea", data: "nr=1&col1&col2=col2", extra: ["4", null, "333", "444"] },
      { type: "badidea", data: "nr=1&col1&col2=col2", extra: ["4", null, "333", "444"] },
    ],
  );
});

test("expressions see columns whose names are keywords, need quotes, or are those of the generated code", async () => {
  const { log } = await triggered(`(new int primary key, "select" text, _type text, "A b" text)`, "logu", [
    `ev_extra1=new`,
    `ev_extra2="select" -- comment`,
    `ev_extra3=_type`,
    `ev_extra4="A b"`,
  ]);
  const expected = { type: "I:new", data: "new=1&select=a&_type=b&A+b=c", extra: ["1", "a", "b", "c"] };
  deepEqual(await log.of("insert into t values (1, 'a', 'b', 'c')"), [expected]);
  deepEqual(
    await log.of("delete from t; insert into t values (1, 'a', 'b', 'c')").then((all) => all.slice(1)),
    [expected],
  );
});

test("when= filters, and has to be a boolean that is not NULL", async () => {
  const { db, log } = await triggered("(id int primary key, v text)", "logu", ["when=v='foo'"]);
  deepEqual(await log.brief("insert into t values (1, 'bar'), (2, 'foo')"), ["I:id / id=2&v=foo"]);
  await rejects(db.execute("insert into t values (3, null)"), /when= should not be NULL/);
  const text = await triggered("(id int primary key, v text)", "logu", ["when=v"]);
  await rejects(
    text.db.execute("insert into t values (1, 't')"),
    /when= query result must be boolean, got=25/,
  );
});

test("magic columns override fields, and expressions override them", async () => {
  const { db, log } = await triggered(
    "(id int primary key, _pgq_ev_type text, _pgq_ev_data text, _pgq_ev_extra1 text default 'm1', _pgq_ev_extra2 text)",
    "logu",
    ["ev_extra2=id"],
  );
  deepEqual(await log.of("insert into t values (1, 'type', 'data', default, 'm2')"), [
    { type: "type", data: "data", extra: ["m1", "1", null, null] },
  ]);
  await db.execute("alter table t add _pgq_ev_other text");
  await rejects(db.execute("insert into t values (2)"), /Unknown magic column: _pgq_ev_other/);
});

test("what is wrong with a trigger's arguments is said at each firing, except in role local", async () => {
  for (const args of [["nosuch"], ["a=b"], [""], ["ignore"]]) {
    const { db } = await triggered("(id int primary key)", "json", args);
    await rejects(db.execute("insert into t values (1)"), /bad param to pgq trigger/);
    await db.execute("set session_replication_role = local; insert into t values (1)");
  }
  const { db } = await fixture.database();
  await db.execute(`create table t (id int);
    create trigger x after insert on t for each row execute function pgq.sqltriga()`);
  await rejects(
    db.execute("insert into t values (1)"),
    /pgq trigger must have destination queue as argument/,
  );
  await db.execute(`drop trigger x on t;
    create trigger x after insert on t for each statement execute function pgq.sqltriga('q')`);
  await rejects(
    db.execute("insert into t values (1)"),
    /pgq Ins\/Upd\/Del trigger must be fired FOR EACH ROW/,
  );
});

test("truncate takes no arguments about rows, but literal fields", async () => {
  const refused: Record<string, RegExp> = {
    "ignore=a": /Column ignore does not make sense for truncate trigger/,
    "pkey=a": /Custom pkey_list does not make sense for truncate trigger/,
    backup: /Backup does not make sense for truncate trigger/,
    "ev_extra1=now()": /Custom expressions do not make sense for truncater trigger/,
    "when=true": /Custom expressions do not make sense for truncater trigger/,
    SKIP: /SKIP does not work in AFTER trigger\./,
  };
  for (const [argument, message] of Object.entries(refused)) {
    const { db } = await triggered("(a int)", "sql", [argument], "after truncate");
    await rejects(db.execute("truncate t"), message);
  }
  const { log } = await triggered("(a int)", "sql", ["ev_extra1='set.name'"], "after truncate");
  deepEqual(await log.of("truncate t"), [{ type: "R", data: "", extra: ["set.name", null, null, null] }]);
});
