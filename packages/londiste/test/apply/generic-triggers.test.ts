import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { ApplyBench, type TestEvent } from "../fixture/apply-bench.js";

/* What comes of values that an application writes while its session shows values in another way. Capture that add-table generates does
 * not depend on that, see session-settings.test.ts of the SQL modules. The trigger functions that --trigger-flags names write values as
 * the session shows them, and so do the original's. */

let bench: ApplyBench;

before(async () => {
  bench = await ApplyBench.start(["pgq"]);
  await bench.source.execute("select pgq.create_queue('q')");
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

const columns = "f float8, n numeric, i interval, d date, ts timestamp, z timestamptz, b bytea, a date[]";
const written = {
  f: "0.1::float8 + 0.2",
  n: "1.50",
  i: "interval '-1 day -02:03:04'",
  d: "date '2024-03-04'",
  ts: "timestamp '2024-03-04 05:06:07.89'",
  z: "timestamptz '2024-03-04 05:06:07.89+00'",
  b: "decode('00ff5c', 'hex')",
  a: "array[date '2024-03-04']",
};

/** Writes a row in a session with these settings, replays its event, and compares.
 * @param capture SQL that begins to capture data.t into queue q
 * @returns the columns that have another value on the subscriber */
async function changedColumns(capture: string, settings: string): Promise<string[]> {
  await bench.source.execute(`set client_min_messages = warning; drop schema if exists data cascade; create schema data;
    delete from pgq.event_template;
    create table data.t (id int primary key, ${columns}); create table data.replayed (like data.t including all); ${capture}`);
  await using writer = await Database.open(bench.connstr, { autocommit: true });
  await writer.execute(`${settings}; insert into data.t values (1, ${Object.values(written).join(", ")})`);
  const events = await bench.rows(
    `select ev_type as type, ev_data as data, 'data.t' as "table" from pgq.event_template`,
  );
  await bench.apply(events as TestEvent[], { "data.t": "data.replayed" });
  const changed = await bench.source.query<{ name: string }>(
    `select a.key as name from data.t t join data.replayed r using (id)
       cross join lateral jsonb_each_text(to_jsonb(t)) a
      where a.value is distinct from to_jsonb(r) ->> a.key order by 1`,
  );
  return changed.map(({ name }) => name);
}

const generic = (format: string) =>
  `create trigger cap after insert on data.t for each row execute function pgq.${format}('q')`;

for (const format of ["jsontriga", "logutriga", "sqltriga"]) {
  test(`${format}: settings under which a value reads back as what it is do not change it on the subscriber`, async () => {
    for (const settings of [
      "",
      "set timezone = 'Asia/Kathmandu'; set datestyle = 'ISO, DMY'",
      "set bytea_output = 'escape'; set extra_float_digits = 3; set intervalstyle = 'postgres_verbose'",
      "set intervalstyle = 'iso_8601'; set standard_conforming_strings = off",
      "set datestyle = 'SQL, MDY'; set timezone = 'UTC'",
    ]) {
      assert.deepEqual(await changedColumns(generic(format), settings), [], settings);
    }
  });

  test(`${format}: digits that a session does not show are lost, days and months that it turns round are turned, as with the original's`, async () => {
    const lossy =
      "set extra_float_digits = 0; set datestyle = 'SQL, DMY'; set intervalstyle = 'sql_standard'";
    const changed = await changedColumns(generic(format), lossy);
    assert.deepEqual(changed, format === "jsontriga" ? ["a", "f", "i"] : ["a", "d", "f", "i", "ts", "z"]);
    const generated = "select pgq.create_capture('data.t', 'cap', 'q')";
    assert.deepEqual(await changedColumns(generated, lossy), [], "what add-table makes by itself");
  });
}
