import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { EventLog } from "../trigger/event-log.ts";

const fixture = databaseFixture(["pgq"]);

const hostileSettings = `set extra_float_digits = -10; set datestyle = 'SQL, DMY'; set intervalstyle = sql_standard;
  set search_path = pg_temp`;

for (const format of ["json", "urlenc", "sql"]) {
  test(`a writer's settings do not cut, turn or negate the values of its events (${format})`, async () => {
    const { db } = await fixture.database();
    await db.execute(`select pgq.create_queue('q'); create domain day as date; create type pair as (f float8, d date);
      create table t (id int primary key, f float8, r float4, a timestamp[], tr tsrange, i interval, d day, p pair, pt point);
      select pgq.create_capture('t', 'cap', 'q', '${format}')`);
    const log = new EventLog(db);
    const change = `insert into public.t values (1, 1.0 / 3, 1.0 / 3, array['2024-03-04'::timestamp], '[2024-03-04,2024-05-06)',
      interval '-1 year 2 days -3 hours', '2024-03-04', row(0.1 + 0.2::float8, '2024-03-04'), point(1.0 / 3, 2));
      update public.t set f = f + 1; delete from public.t`;
    const usual = await log.of(change);
    await db.execute(hostileSettings);
    await db.execute(change);
    deepEqual(await log.added(), usual);
  });
}
