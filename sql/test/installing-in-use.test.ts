import { equal } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { installedVersion, installModules } from "@skytools/sql";
import { waitFor } from "@skytools/testbed";
import { databaseFixture } from "./fixture.ts";

const fixture = databaseFixture([]);

/** Who waits for a lock in the database is asked until the session with this process id does. */
async function waitForWaiting(db: Database, processId: number | undefined): Promise<void> {
  await waitFor("the session to wait for a lock", async () => {
    const sql = "select count(*) from pg_locks where pid = $1 and not granted";
    return (await db.queryValue(sql, [processId])) !== 0n;
  });
}

const ownProcessId = (db: Database) => db.queryValue<number>("select pg_backend_pid()");

test("an upgrade meets no deadlock with a program that goes on to other tables of its queue", async () => {
  const { db, another } = await fixture.emptyDatabase();
  await installModules(db, ["pgq"]);
  await db.execute("alter table pgq.queue drop column queue_retry_limit, drop column queue_retry_delay");
  const program = await another({ autocommit: false });
  await program.query("set local deadlock_timeout = '1h'");
  await program.query("select from pgq.queue");
  const installer = await another();
  const processId = await ownProcessId(installer);
  await installer.execute("set deadlock_timeout = '1h'");
  const installation = installModules(installer, ["pgq"]);
  await waitForWaiting(db, processId);
  await program.query("lock table pgq.retry_queue in row exclusive mode");
  await program.query("lock table pgq.subscription in row exclusive mode");
  await program.commit();
  await installation;
  const limits = "select count(*) from pg_attribute where attname = 'queue_retry_limit' and not attisdropped";
  equal(await db.queryValue(limits), 1n);
});

test("an installation that the server ends in a deadlock starts again", async () => {
  const { db, another } = await fixture.emptyDatabase();
  await installModules(db, ["pgq"]);
  await db.execute(
    "create or replace function pgq.version() returns text language sql as $$ select '3.9'::text $$",
  );
  const [holder, program, installer] = [
    await another({ autocommit: false }),
    await another({ autocommit: false }),
    await another(),
  ];
  await holder.query("lock table pgq.retry_queue in row exclusive mode");
  await program.execute("set local deadlock_timeout = '1h'; alter function pgq.version() cost 7");
  const [programId, installerId] = [await ownProcessId(program), await ownProcessId(installer)];
  await installer.execute("set deadlock_timeout = '10ms'");
  const installation = installModules(installer, ["pgq"]);
  await waitForWaiting(db, installerId);
  // The circle is closed by the installer, once the table is free: it goes on to the function.
  const locked = program.query(
    `select pg_advisory_xact_lock((l.classid::bigint << 32) | l.objid::bigint) from pg_locks l
      where l.locktype = 'advisory' and l.objsubid = 1 and l.pid = $1`,
    [installerId],
  );
  await waitForWaiting(db, programId);
  await holder.commit();
  await locked;
  await program.rollback();
  await installation;
  equal(await installedVersion(db, "pgq"), "4.0.0");
});

test("an upgrade meets no deadlock with a worker that goes on from its position to the queue", async () => {
  const { db, another } = await fixture.emptyDatabase();
  await installModules(db, ["pgq", "pgq_node", "londiste"]);
  await db.execute(`
    alter table pgq.queue drop column queue_retry_limit, drop column queue_retry_delay;
    alter table pgq_node.local_state drop column known_tick_id, drop column known_tick_time;
    alter table londiste.table_info drop constraint table_info_check,
      add constraint table_info_check check (dropped_ddl is null or merge_state = 'in-copy')`);
  const worker = await another({ autocommit: false });
  await worker.query("set local deadlock_timeout = '1h'");
  await worker.query("select from pgq_node.local_state for update");
  const installer = await another();
  const processId = await ownProcessId(installer);
  await installer.execute("set deadlock_timeout = '1h'");
  const installation = installModules(installer, ["pgq", "pgq_node", "londiste"]);
  await waitForWaiting(db, processId);
  await worker.query("select from pgq.queue");
  await worker.query("select from londiste.table_info for update");
  await worker.query("select from pgq_node.node_info for update");
  await worker.commit();
  await installation;
  const times = "select count(*) from pg_attribute where attname = 'known_tick_time' and not attisdropped";
  equal(await db.queryValue(times), 1n);
});

test("an installation over the same release waits for no worker of Londiste", async () => {
  const { db, another } = await fixture.emptyDatabase();
  await installModules(db, ["pgq", "pgq_node", "londiste"]);
  const worker = await another({ autocommit: false });
  await worker.query("lock table londiste.table_info, londiste.applied_execute in row exclusive mode");
  await worker.query("lock table pgq_node.local_state, pgq_node.node_info in row exclusive mode");
  const installer = await another();
  await installer.execute("set lock_timeout = '5s'");
  await installModules(installer, ["pgq", "pgq_node", "londiste"]);
  await worker.rollback();
});
