import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, createSubscriber, registerLocations, row, tickEagerly } from "./node.ts";

const fixture = databaseFixture(["pgq", "pgq_node"]);

const demote = (db: Database, step: number, provider = "other"): Promise<Record<string, unknown>> =>
  row(db, "pgq_node.demote_root", "q", step, provider);

test("a root is demoted in three steps", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await registerLocations(db, "q", "other");
  await answer(db, "pgq_node.set_consumer_uptodate", "q", "root_worker", true);
  await rejects(demote(db, 2), /steps in wrong order/);
  await rejects(demote(db, 4), /steps in wrong order/);
  for (let times = 0; times < 2; times += 1) {
    deepEqual(await demote(db, 1), {
      ret_code: 200,
      ret_note: "Step 1: Writing disabled for: q",
      last_tick: null,
    });
  }
  await rejects(db.query("select pgq.insert_event('q', 't', 'd')"), /Insert into queue disallowed/);
  await rejects(answer(db, "pgq_node.set_global_watermark", "q", null), /Insert into queue disallowed/);
  for (const tick of [2n, 3n]) {
    deepEqual(await demote(db, 2), {
      ret_code: 200,
      ret_note: "Step 2: Inserted last tick: q",
      last_tick: tick,
    });
  }
  await rejects(demote(db, 0), /incorrect step number/);
  await rejects(demote(db, 4), /incorrect step number/);
  await rejects(demote(db, 3, "nowhere"), /local_state_queue_name_provider_node_fkey/);
  deepEqual(await demote(db, 3), {
    ret_code: 200,
    ret_note: "Step 3: Demoted root to branch: q",
    last_tick: 3n,
  });
  deepEqual(await demote(db, 3), { ret_code: 301, ret_note: "Node not root", last_tick: null });
  equal(await answer(db, "pgq_node.demote_root", "zq", 1, null), '404 "Node not initialized for queue: zq"');
  const info = await row(db, "pgq_node.get_node_info", "q");
  deepEqual(
    [info.node_type, info.provider_node, info.worker_last_tick, info.worker_uptodate],
    ["branch", "other", 3n, false],
  );
});

test("the last tick waits for the writers and comes after their events", async () => {
  const { db, another } = await fixture.database();
  await createRoot(db, "q");
  await db.query("select pgq.register_consumer('q', 'reader')");
  const writer = await another({ autocommit: false });
  const id = await writer.queryValue<bigint>("select pgq.insert_event('q', 'late', 'x')");
  await demote(db, 1);
  const demoter = await another();
  const step2 = demote(demoter, 2);
  await waitFor("the demotion to wait for the writer", () =>
    db.queryValue("select true from pg_locks where pid = $1 and not granted and mode = 'ExclusiveLock'", [
      demoter.backendPid,
    ]),
  );
  equal(await db.queryValue("select count(*)::int4 from pgq.event_1"), 0, "readers are not blocked");
  await writer.commit();
  equal((await step2).last_tick, 2n);
  await db.query("select pgq.next_batch('q', 'reader')");
  deepEqual(await db.query("select ev_id from pgq.get_batch_events(1)"), [{ ev_id: id }]);
});

test("step 2 leaves the session in replica role until its transaction ends", async () => {
  const { db, another } = await fixture.database();
  await createRoot(db, "q");
  await demote(db, 1);
  const admin = await another({ autocommit: false });
  await demote(admin, 2);
  equal(await admin.queryValue("select current_setting('session_replication_role')"), "replica");
  await admin.commit();
  equal(await admin.queryValue("select current_setting('session_replication_role')"), "origin");
});

test("a promoted branch takes events and ticks on from its newest tick", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "branch", 10n);
  await db.query("select pgq.ticker('q', 25, now(), 1234)");
  await answer(db, "pgq_node.set_consumer_uptodate", "q", "branch_worker", true);
  equal(await answer(db, "pgq_node.promote_branch", "q"), '200 "Branch node promoted to root"');
  equal(await answer(db, "pgq_node.promote_branch", "q"), '301 "Node not branch"');
  equal(await answer(db, "pgq_node.promote_branch", "zq"), '404 "Node not initialized for queue: zq"');
  const worker = await row(db, "pgq_node.get_worker_state", "q");
  deepEqual(
    [worker.node_type, worker.provider_node, worker.completed_tick, worker.uptodate],
    ["root", "branch", 25n, false],
  );
  equal(await db.queryValue("select pgq.insert_event('q', 't', 'd')"), 1235n);
  await tickEagerly(db);
  equal(await db.queryValue("select pgq.ticker('q')"), 26n);
});

test("a promoted branch whose worker died before the tick makes it, and gives out no event id twice", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "branch", 10n);
  await db.execute(`
    set session_replication_role = replica;
    insert into pgq.event_1_0 (ev_id, ev_time, ev_type) values (77, now(), 't')`);
  const time = "2024-02-03 04:05:06.789012+00";
  await answer(db, "pgq_node.set_consumer_completed_at", "q", "branch_worker", 11n, time);
  await db.execute("reset session_replication_role");
  equal(await answer(db, "pgq_node.promote_branch", "q"), '200 "Branch node promoted to root"');
  equal((await row(db, "pgq_node.get_node_info", "q")).worker_last_tick, 11n);
  const tickSql = "select tick_time = $1 from pgq.tick where tick_id = 11";
  equal(await db.queryValue(tickSql, [time]), true, "the tick has the time that other nodes know it by");
  equal(await db.queryValue("select pgq.insert_event('q', 't', 'd')"), 78n);
  await tickEagerly(db);
  equal(await db.queryValue("select pgq.ticker('q')"), 12n);
});
