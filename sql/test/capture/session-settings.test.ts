import { deepEqual, match } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { EventLog } from "../trigger/event-log.ts";

const fixture = databaseFixture(["pgq"]);

const hostileSettings = `set extra_float_digits = -10; set datestyle = 'SQL, DMY'; set intervalstyle = sql_standard;
  set bytea_output = escape; set search_path = pg_temp`;

for (const format of ["json", "urlenc", "sql"]) {
  test(`a writer's settings do not cut, turn or negate the values of its events (${format})`, async () => {
    const { db } = await fixture.database();
    await db.execute(`select pgq.create_queue('q'); create domain day as date; create type pair as (f float8, d date);
      create type named as (name text, b bytea); create domain blob as bytea;
      create table t (id int primary key, f float8, r float4, a timestamp[], tr tsrange, i interval, d day, p pair, pt point,
        ab bytea[], nb named, db blob);
      select pgq.create_capture('t', 'cap', 'q', '${format}')`);
    const log = new EventLog(db);
    const change = `insert into public.t values (1, 1.0 / 3, 1.0 / 3, array['2024-03-04'::timestamp], '[2024-03-04,2024-05-06)',
      interval '-1 year 2 days -3 hours', '2024-03-04', row(0.1 + 0.2::float8, '2024-03-04'), point(1.0 / 3, 2),
      array['a\\001'::bytea], row('x', '\\x00ff'), '\\x6100');
      update public.t set f = f + 1; delete from public.t`;
    const usual = await log.of(change);
    await db.execute(hostileSettings);
    await db.execute(change);
    deepEqual(await log.added(), usual);
  });
}

test("a bytea is in hex whatever its writer has set; a capture of an older release becomes so when it is renewed", async () => {
  const { db } = await fixture.database();
  await db.execute(`select pgq.create_queue('q'); create table t (id int primary key, b bytea);
    select pgq.create_capture('t', 'cap', 'q', 'urlenc'); set bytea_output = escape`);
  const log = new EventLog(db);
  const written = async (id: number) => {
    const events = await log.of(`insert into t values (${id}, '\\x0061ff')`);
    return JSON.stringify(events);
  };
  match(await written(1), /b=%5cx0061ff/);
  await db.execute(`do $$ declare _name text := (select proname from pg_proc where proname ~ '^capture_urlenc_\\d+$');
    begin
      execute format('alter function pgq.%I() reset bytea_output', _name);
      update pg_proc set prosrc = replace(prosrc, 'set bytea_output', '') where proname = _name;
    end $$`);
  match(await written(2), /b=%5c000a%5c377/);
  await db.query("select pgq.refresh_captures()");
  match(await written(3), /b=%5cx0061ff/);
});
