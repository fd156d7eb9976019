import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, queueEvents, registerLocations, row, tickEagerly } from "./node.ts";

const fixture = databaseFixture(["pgq", "pgq_node"]);

test("what lies after a tick goes, in this queue only, batched or not, open at the tick or later", async () => {
  const { db, another } = await fixture.database();
  for (const queue of ["q", "other"]) await createRoot(db, queue);
  await tickEagerly(db);
  await registerLocations(db, "q", "new");
  const insert = (queue: string, data: string) =>
    db.query("select pgq.insert_event($1, 't', $2)", [queue, data]);
  await insert("q", "kept");
  const open = await another({ autocommit: false });
  await open.query("select pgq.insert_event('q', 't', 'open at the tick')");
  await db.query("select pgq.ticker()");
  const { last_tick_id: last } = await row(db, "pgq.get_queue_info", "q");
  await open.commit();
  await insert("q", "in a later batch");
  await insert("other", "of another queue");
  await db.query("select pgq.ticker()");
  await insert("q", "in no batch");

  equal(await answer(db, "pgq_node.delete_events_after", "q", last), '301 "Node not branch"');
  for (const step of [1, 2, 3]) await answer(db, "pgq_node.demote_root", "q", step, "new");
  equal(await answer(db, "pgq_node.delete_events_after", "q", 99n), '404 "Tick not found: q/99"');
  equal(
    await answer(db, "pgq_node.delete_events_after", "x", last),
    '404 "Node not initialized for queue: x"',
  );
  deepEqual(await row(db, "pgq_node.delete_events_after", "q", last), {
    ret_code: 200,
    ret_note: `Removed 3 events and 2 ticks after tick ${String(last)}`,
    deleted_events: 3n,
    deleted_ticks: 2n,
  });
  deepEqual(
    (await queueEvents(db, "q")).map(([, data]) => data),
    ["new", "kept"],
  );
  deepEqual((await queueEvents(db, "other")).map(([, data]) => data).at(-1), "of another queue");
});
