import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Database } from "@skytools/skytools";
import { startCluster } from "@skytools/testbed";
import fc from "fast-check";
import { LocalTimes } from "#src/handler/dispatch/partition-time.js";

const cluster = await startCluster({ settings: { log_statement: "none" } });
const db = await Database.open(cluster.connstr(), { autocommit: true });
after(async () => {
  await db.close();
  await cluster[Symbol.asyncDispose]();
});

const zones = [
  "UTC",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "America/St_Johns",
  "Pacific/Chatham",
  "Europe/Amsterdam",
];

test("a time belongs to the day and hour that the target's zone has, from whatever zone it comes", async () => {
  const moment = fc.record({
    base: fc.constantFrom("2026-11-28 18:00:00+00", "2026-03-29 00:00:00+00", "1935-06-01 20:00:00+00"),
    seconds: fc.array(fc.nat(4 * 3600), { minLength: 20, maxLength: 40 }),
    writer: fc.constantFrom(...zones),
    target: fc.constantFrom(...zones),
  });
  await fc.assert(
    fc.asyncProperty(moment, async ({ base, seconds, writer, target }) => {
      const times = "select $1::timestamptz + s * interval '1 s' as t from unnest($2::int[]) s";
      await db.execute(`set timezone = '${writer}'`);
      const written = await db.query<{ t: string }>(`select t::text as t from (${times}) x`, [base, seconds]);
      await db.execute(`set timezone = '${target}'`);
      const rows = await db.query<{ local: string }>(
        `select to_char(t, 'YYYY-MM-DD HH24') as local from (${times}) x`,
        [base, seconds],
      );
      const local = new LocalTimes(db);
      for (const [nr, { t }] of written.entries()) {
        const { year, month, day, hour } = await local.of(t);
        assert.equal(`${year}-${month}-${day} ${hour}`, rows[nr]?.local, `${t} in ${target}`);
      }
    }),
    { numRuns: 40 },
  );
});
