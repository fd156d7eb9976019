import { deepEqual, equal } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { installedVersion, installModules } from "@skytools/sql";
import { databaseFixture } from "../fixture.ts";
import { call, consume, createEagerQueue, rotate, tick } from "../pgq/queue.ts";

const fixture = databaseFixture([]);

const original = {
  extension: (): string => "create extension pgq",
  "plain SQL": (): string => {
    const shared = execFileSync(join(fixture.cluster.binDir, "pg_config"), ["--sharedir"], {
      encoding: "utf8",
    }).trim();
    return readFileSync(join(shared, "contrib", "pgq.sql"), "utf8");
  },
};

async function hasOriginal(db: Database): Promise<boolean> {
  const available = await db.queryValue("select count(*) from pg_available_extensions where name = 'pgq'");
  return available === 1n && existsSync(join(fixture.cluster.binDir, "pg_config"));
}

/** What a client can see of the schema: functions, table columns and grants, without what only we have. */
async function manifest(db: Database): Promise<string[]> {
  const rows = await db.query<{ line: string }>(`
    select concat_ws(' | ', p.oid::regprocedure, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
                     p.prosecdef, p.proisstrict, p.provolatile, array(select a::text from unnest(p.proacl) a order by 1)) as line
      from pg_proc p where p.pronamespace = 'pgq'::regnamespace
    union all
    select concat_ws(' | ', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                     pg_get_expr(d.adbin, d.adrelid))
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace = 'pgq'::regnamespace and c.relkind = 'r'
    union all
    select concat_ws(' | ', c.relname, c.relkind, array(select a::text from unnest(c.relacl) a order by 1))
      from pg_class c where c.relnamespace = 'pgq'::regnamespace and c.relkind in ('r', 'S')
    order by 1`);
  return rows.map((row) => row.line);
}

for (const form of ["extension", "plain SQL"] as const) {
  test(`PgQ 3.5 installed as ${form} keeps queues, positions, events and grants`, async (t) => {
    const { db } = await fixture.emptyDatabase();
    if (!(await hasOriginal(db))) {
      t.skip("needs the packaged PgQ 3 and a system PostgreSQL in SKYTOOLS_PG_BINDIR");
      return;
    }
    await db.execute(original[form]());
    await createEagerQueue(db, "q");
    await call(db, "pgq.register_consumer", "q", "behind");
    await call(db, "pgq.register_consumer", "q", "in batch");
    await call(db, "pgq.insert_event", "q", "t", "1");
    await tick(db, "q");
    const open = await call<bigint>(db, "pgq.next_batch", "q", "in batch");
    await db.query("select pgq.event_retry($1, 1, 0)", [open]);
    await call(db, "pgq.insert_event", "q", "t", "2");
    await tick(db, "q");
    await db.execute("do $$ begin create role custom; exception when duplicate_object then null; end $$");
    await db.execute(
      "grant select on pgq.event_1_0 to custom; grant execute on function pgq.ticker() to custom",
    );
    const before = await manifest(db);

    await installModules(db, ["pgq"]);
    await installModules(db, ["pgq"]);
    equal(await installedVersion(db, "pgq"), "4.0.0");
    equal(await db.queryValue("select count(*) from pg_extension where extname = 'pgq'"), 0n);
    equal(await db.queryValue("select count(*) from pg_proc where probin like '%pgq%'"), 0n);
    const after = new Set(await manifest(db));
    // Our plain-SQL version function replaces the extension's, which has the same grants.
    deepEqual(
      before.filter((line) => !after.has(line)),
      [],
    );

    deepEqual(await consume(db, "q", "in batch"), ["1"]);
    equal(await call(db, "pgq.maint_retry_events"), 1);
    await tick(db, "q");
    deepEqual([await consume(db, "q", "in batch"), await consume(db, "q", "in batch")], [["2"], ["1"]]);
    deepEqual([await consume(db, "q", "behind"), await consume(db, "q", "behind")], [["1"], ["2"]]);
    await consume(db, "q", "behind");
    await call(db, "pgq.insert_event", "q", "t", "3");
    await tick(db, "q");
    deepEqual([await consume(db, "q", "behind"), await consume(db, "q", "in batch")], [["3"], ["3"]]);
    await rotate(db, "q");
    equal(await db.queryValue("select queue_cur_table from pgq.queue"), 1);
    equal(await call(db, "pgq.create_queue", "new"), 1);
    equal(await call(db, "pgq.drop_queue", "q", true), 1);
  });
}

test("a fresh installation has everything that PgQ 3.5 has, with the same grants", async (t) => {
  const { db } = await fixture.emptyDatabase();
  if (!(await hasOriginal(db))) {
    t.skip("needs the packaged PgQ 3 and a system PostgreSQL in SKYTOOLS_PG_BINDIR");
    return;
  }
  const fresh = await fixture.emptyDatabase();
  await db.execute(original["plain SQL"]());
  await installModules(fresh.db, ["pgq"]);
  const ours = new Set(await manifest(fresh.db));
  deepEqual(
    (await manifest(db)).filter((line) => !ours.has(line)),
    [],
  );
});
