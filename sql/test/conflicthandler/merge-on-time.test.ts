import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { databaseFixture } from "../fixture.ts";

const fixture = databaseFixture(["conflicthandler"]);

async function merge(
  db: Database,
  type: string | null,
  data: string,
  options: { table?: string; conf?: string } = {},
): Promise<string | undefined> {
  const { table = "mergetest", conf = "timefield=stamp" } = options;
  return db.queryValue(
    "select public.merge_on_time($1, null, null, null, null, null, $2, $3, $4, null, null, null)",
    [conf, type, data, table],
  );
}

const oldRowLoses = "IGN:data ok, old row, current row more up-to-date";
const newRowWins = "data ok, old row, new row better";

test("the newer version of a row wins, in a table without any key", async () => {
  const { db } = await fixture.database();
  await db.execute("create table mergetest (intcol int4, txtcol text, stamp timestamp)");
  const rows = (): Promise<Record<string, unknown>[]> => db.query("select * from mergetest");
  equal(await merge(db, "I:intcol", "intcol=5&txtcol=v1&stamp=2008-09-16+12%3a00"), "data ok, no old row");
  equal(await merge(db, "I:intcol", "intcol=5&txtcol=v2&stamp=2008-09-16+11%3a00"), oldRowLoses);
  equal(await merge(db, "U:intcol", "intcol=5&txtcol=v2&stamp=2008-09-16+12%3a00"), oldRowLoses, "ties lose");
  deepEqual(await rows(), [{ intcol: 5, txtcol: "v1", stamp: "2008-09-16 12:00:00" }]);
  equal(await merge(db, "I:intcol", "intcol=5&txtcol=v3&stamp=2008-09-16+14%3a00"), newRowWins);
  deepEqual(await rows(), [{ intcol: 5, txtcol: "v3", stamp: "2008-09-16 14:00:00" }]);
  equal(await merge(db, "D:intcol", "intcol=5&stamp=2008-09-16+13%3a00"), oldRowLoses);
  equal(await merge(db, "U:intcol", "intcol=5&txtcol=v4&stamp=2008-09-16+14%3a00"), oldRowLoses);
  equal(await merge(db, "D:intcol", "intcol=5&stamp=2008-09-16+14%3a00"), newRowWins);
  equal(await merge(db, "I:intcol", "intcol=5&txtcol=v3&stamp=2008-09-16+14%3a00"), "data ok, no old row");
  equal(await merge(db, "D:intcol", "intcol=5&stamp=2008-09-16+15%3a00"), newRowWins);
  equal(await merge(db, "D:intcol", "intcol=5&stamp=2008-09-16+15%3a00"), "data ok, no old row");
  deepEqual(await rows(), []);
});

test("times are compared as times, not as text", async () => {
  const { db } = await fixture.database();
  await db.execute("create table mergetest (id int4 primary key, stamp timestamptz)");
  await merge(db, "I:id", "id=1&stamp=2008-09-16+12%3a00%3a00%2b00");
  equal(await merge(db, "U:id", "id=1&stamp=2008-09-16+13%3a30%3a00%2b02"), oldRowLoses);
  equal(await merge(db, "U:id", "id=1&stamp=2008-09-16+11%3a30%3a00-01"), newRowWins);
});

test("updates of absent rows insert, inserts of present rows update, all columns are written", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create schema "S p";
    create table "S p"."T.x" ("Key" int4, k2 text, "select" text, stamp timestamp, twice int4 generated always as ("Key" * 2) stored,
        primary key ("Key", k2))`);
  const table = "S p.T.x";
  const value = "it%27s+%26+%5c%0a%c3%a9%2b";
  equal(
    await merge(db, "U:Key,k2", `Key=1&k2=a+b&select=${value}&stamp=2020-01-01&twice=2`, { table }),
    "data ok, no old row",
  );
  equal(await merge(db, "I:Key, k2", `Key=1&k2=a+b&select&stamp=2020-01-02`, { table }), newRowWins);
  deepEqual(await db.query(`select "Key", k2, "select", twice from "S p"."T.x"`), [
    { Key: 1, k2: "a b", select: null, twice: 2 },
  ]);
  await merge(db, "U:Key,k2", `Key=1&k2=a+b&select=${value}&stamp=2020-01-03`, { table });
  equal(await db.queryValue(`select "select" from "S p"."T.x"`), "it's & \\\né+");
});

test("rows without a time lose against any other, and never win", async () => {
  const { db } = await fixture.database();
  await db.execute(
    "create table mergetest (id int4 primary key, stamp timestamp); insert into mergetest values (1)",
  );
  equal(await merge(db, "U:id", "id=1&stamp=2020-01-01"), newRowWins);
  equal(await merge(db, "U:id", "id=1&stamp"), oldRowLoses);
  equal(await merge(db, "U:id", "id=1"), oldRowLoses);
});

test("a row with the same alternative key and another key gives way", async () => {
  const { db } = await fixture.database();
  await db.execute("create table mergetest (id int4 primary key, name text unique, stamp timestamp)");
  const conf = "timefield=stamp&altpk=name";
  const apply = (data: string): Promise<string | undefined> => merge(db, "I:id", data, { conf });
  equal(await apply("id=1&name=x&stamp=2020-01-01"), "data ok, no old row");
  equal(await apply("id=1&name=x&stamp=2020-01-02"), "data ok, altpk ok, old row, new row better");
  equal(await apply("id=2&name=x&stamp=2020-01-03"), "data ok, altpk del, no old row");
  deepEqual(await db.query("select id, name from mergetest"), [{ id: 2, name: "x" }]);
});

test("an event without its parent row is ignored", async () => {
  const { db } = await fixture.database();
  await db.execute(`
    create table "Parent" (a int4, b text); insert into "Parent" values (1, 'x');
    create table mergetest (id int4 primary key, pa int4, pb text, stamp timestamp)`);
  const conf = "timefield=stamp&fkey_ref_table=Parent&fkey_ref_cols=a,b&fkey_cols=pa,pb";
  equal(
    await merge(db, "I:id", "id=1&pa=1&pb=y&stamp=2020-01-01", { conf }),
    "IGN: parent row does not exist",
  );
  equal(await merge(db, "I:id", "id=1&pa=1&pb=x&stamp=2020-01-01", { conf }), "data ok, fkey ok, no old row");
});

test("two inserts at once: the second one compares with the first one's row", async () => {
  const { db, another } = await fixture.database();
  await db.execute("create table mergetest (id int4 primary key, txt text, stamp timestamp)");
  const first = await another({ autocommit: false });
  const second = await another();
  await merge(first, "I:id", "id=1&txt=first&stamp=2020-01-02");
  const waiting = merge(second, "I:id", "id=1&txt=second&stamp=2020-01-01");
  await waitFor("the second insert to wait", () =>
    db.queryValue("select true from pg_locks where pid = $1 and not granted", [second.backendPid]),
  );
  await first.commit();
  equal(await waiting, oldRowLoses);
});

test("what cannot be applied is refused", async () => {
  const { db } = await fixture.database();
  await db.execute("create table mergetest (id int4 primary key, txt text unique, stamp text)");
  await rejects(merge(db, "X:id", "id=1"), /Unsupported ev_type: X:id/);
  await rejects(merge(db, "I", "id=1"), /Unsupported ev_type: I/);
  await rejects(merge(db, null, "id=1"), /Unsupported ev_type: /);
  await rejects(merge(db, "I:", "id=1"), /No pkey in event/);
  await rejects(merge(db, "I:id}", "id=1"), /suspicious name/);
  await rejects(merge(db, "I:id", "id=1&a}=1"), /suspicious name/);
  await rejects(merge(db, "I:id", "id=1&stamp=yesterday"), /invalid timestamp/);
  await rejects(merge(db, "I:id", "id=1", { conf: "" }), /timefield is not configured/);
  await rejects(merge(db, "I:id", "id=1", { conf: "timefield=nothing" }), /has no column nothing/);
  await merge(db, "I:id", "id=1&txt=x&stamp=1");
  await rejects(merge(db, "I:id", "id=2&txt=x&stamp=1"), /mergetest_txt_key/);
});
