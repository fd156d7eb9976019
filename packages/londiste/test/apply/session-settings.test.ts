import assert from "node:assert/strict";
import { test } from "node:test";
import { Database, quoteIdent, quoteLiteral } from "@skytools/skytools";
import { moduleDatabase, startCluster } from "@skytools/testbed";
import { openSourceSession, openTargetSession } from "#src/replication-session.js";
import { silentLog } from "../fixture/apply-bench.js";

/** What an administrator may have set for short sessions of people, and what would change or lose values. */
const unhelpful = {
  array_nulls: "off",
  xmloption: "document",
  datestyle: "German",
  intervalstyle: "sql_standard",
  extra_float_digits: "-10",
  bytea_output: "escape",
  lock_timeout: "50ms",
  statement_timeout: "1min",
  idle_session_timeout: "1min",
  idle_in_transaction_session_timeout: "1min",
  transaction_timeout: "1min",
};

test("settings of the database neither change values nor end sessions of the worker", async () => {
  await using cluster = await startCluster();
  const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"], "strict");
  await using admin = await Database.open(connstr, { autocommit: true });
  const known = await admin.query<{ name: string }>("select lower(name) as name from pg_settings");
  for (const [name, value] of Object.entries(unhelpful)) {
    if (!known.some((setting) => setting.name === name)) continue;
    await admin.execute(`alter database strict set ${quoteIdent(name)} = ${quoteLiteral(value)}`);
  }
  await using source = await Database.open(connstr);
  await using target = await Database.open(connstr);
  await openSourceSession(source);
  await openTargetSession(target, silentLog);
  for (const session of [source, target]) {
    const limits = await session.query<{ name: string }>(
      "select name from pg_settings where name ~ '_timeout$' and setting <> '0'",
    );
    assert.deepEqual(
      limits.map(({ name }) => name).filter((name) => name in unhelpful),
      [],
    );
    const values = `
      select ('{NULL}'::text[])[1] as nothing, xml 'a<b/>'::text as content, date '2026-02-03'::text as day,
             interval '1 day'::text as span, (0.1::float8 + 0.2)::text as sum, 'x'::bytea::text as bytes`;
    assert.deepEqual(await session.query(values), [
      {
        nothing: null,
        content: "a<b/>",
        day: "2026-02-03",
        span: "1 day",
        sum: "0.30000000000000004",
        bytes: "\\x78",
      },
    ]);
  }
});
