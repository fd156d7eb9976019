import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { answer, createSubscriber, rowsOf } from "../pgq_node/node.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

async function subscriberWithTable(): Promise<Database> {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "leaf", 1n);
  await db.execute("create table t (id int4 primary key)");
  await answer(db, "londiste.global_add_table", "q", "t");
  await answer(db, "londiste.local_add_table", "q", "t");
  return db;
}

/** The progress rows with true and false for whether a time is set. */
async function progress(db: Database): Promise<Record<string, unknown>[]> {
  const rows = await rowsOf(db, "londiste.get_copy_progress", "q");
  return rows.map((one) =>
    Object.fromEntries(
      Object.entries(one)
        .filter(([name]) => name !== "heartbeat_age")
        .map(([name, value]) => [name, name.endsWith("_time") ? value !== null : value]),
    ),
  );
}

const started = {
  table_name: "public.t",
  merge_state: null,
  attempt: 1,
  copy_process: "host 4711",
  source_node: "provider",
  phase: "starting",
  rows_copied: 0n,
  bytes_copied: 0n,
  total_rows: 1000n,
  total_bytes: null,
  start_time: true,
  heartbeat_time: true,
  end_time: false,
  error: null,
  error_time: false,
  retry_time: false,
};

const start = (db: Database): Promise<string> =>
  answer(db, "londiste.local_copy_start", "q", "public.t", "host 4711", "provider", 1000n, null);

test("a copy is followed from its start over failures to its end", async () => {
  const db = await subscriberWithTable();
  deepEqual(await progress(db), []);
  equal(await start(db), '100 "Copy of public.t started, attempt 1"');
  deepEqual(await progress(db), [started]);
  equal(
    await answer(db, "londiste.local_copy_progress", "q", "t", "copying", 500n, 8192n),
    '100 "Copy progress stored: public.t"',
  );
  await answer(db, "londiste.local_copy_progress", "q", "t", null, null, null);
  deepEqual(await progress(db), [{ ...started, phase: "copying", rows_copied: 500n, bytes_copied: 8192n }]);
  equal(
    await answer(db, "londiste.local_copy_error", "q", "t", "disk full", "20 seconds"),
    '100 "Copy error stored: public.t"',
  );
  const failed = { error: "disk full", error_time: true };
  deepEqual(await progress(db), [
    { ...started, ...failed, phase: "failed", rows_copied: 500n, bytes_copied: 8192n, retry_time: true },
  ]);
  equal(await start(db), '100 "Copy of public.t started, attempt 2"');
  deepEqual(await progress(db), [{ ...started, ...failed, attempt: 2 }], "the last error stays visible");
  equal(await answer(db, "londiste.local_copy_end", "q", "t"), '100 "Copy of public.t ended"');
  deepEqual(await progress(db), [{ ...started, attempt: 2, phase: "done", end_time: true }]);
  equal(await start(db), '100 "Copy of public.t started, attempt 1"');
});

test("a copy learns that its table was removed", async () => {
  const db = await subscriberWithTable();
  await start(db);
  await answer(db, "londiste.local_remove_table", "q", "t");
  deepEqual(await progress(db), []);
  equal(await start(db), '404 "no such local table: public.t"');
  const unknown = '404 "no copy of table: public.t"';
  equal(await answer(db, "londiste.local_copy_progress", "q", "t", "copying", 1n, 1n), unknown);
  equal(await answer(db, "londiste.local_copy_error", "q", "t", "x", null), unknown);
  equal(await answer(db, "londiste.local_copy_end", "q", "t"), unknown);
});

test("a registration that is deleted or made anew starts without history", async () => {
  const db = await subscriberWithTable();
  await start(db);
  await db.execute("delete from londiste.table_info");
  deepEqual(await db.query("select * from londiste.copy_progress"), []);
  await db.execute(
    "insert into londiste.copy_progress (queue_name, table_name, phase) values ('q', 'public.t', 'old')",
  );
  await answer(db, "londiste.global_add_table", "q", "t");
  await answer(db, "londiste.local_add_table", "q", "t");
  deepEqual(await progress(db), []);
});
