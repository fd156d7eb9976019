import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Database, SkytoolsError } from "@skytools/skytools";
import { type Cluster, startCluster } from "@skytools/testbed";
import { insertEvents, insertEventsByCall } from "#src/index.js";
import { QueueDatabase } from "./fixture/queue-database.js";

describe("bulk inserts", () => {
  let cluster: Cluster;
  let queue: QueueDatabase;
  let db: Database;

  before(async () => {
    cluster = await startCluster();
    queue = await QueueDatabase.create(cluster, "producer");
    db = await Database.open(queue.connstr);
  });
  after(async () => {
    await db.close();
    await cluster[Symbol.asyncDispose]();
  });

  const stored = () =>
    queue.query(
      "select ev_type as type, ev_data as data, ev_extra2 as extra2 from pgq.event_1 order by ev_id",
    );

  it("insertEventsByCall inserts any number in order with the rights of pgq_writer, also without pgq.insert_events", async () => {
    await queue.query("create role writer login in role pgq_writer");
    await using writer = await Database.open(cluster.connstr("producer", { user: "writer" }));
    const events = Array.from({ length: 2500 }, (_, at) => ({
      type: at % 3 === 0 ? null : "t",
      data: at === 7 ? "x".repeat(1_100_000) : `{"n": ${at}, "q": "\\"}`,
      extra2: at % 2 === 0 ? null : "NULL",
    }));
    assert.equal(await insertEventsByCall(writer, "q", events), 2500);
    await writer.commit();
    assert.deepEqual(await stored(), events);
    await queue.query("truncate pgq.event_1_0");
    await queue.query("alter function pgq.insert_events rename to insert_events_hidden");
    assert.equal(await insertEventsByCall(writer, "q", events), 2500);
    await writer.commit();
    assert.deepEqual(await stored(), events);
    await queue.query("alter function pgq.insert_events_hidden rename to insert_events");
    assert.equal(await insertEventsByCall(writer, "q", []), 0);
    await assert.rejects(insertEventsByCall(writer, "nowhere", events), /No such queue/);
    await assert.rejects(insertEvents(db, "nowhere", events), /event queue not found|No such|Event queue/i);
    await db.rollback();
  });

  it("insertEvents keeps ids where asked, and misses none", async () => {
    await queue.query("truncate pgq.event_1_0");
    const event = { type: "t", data: null };
    await insertEvents(
      db,
      "q",
      [
        { ...event, id: 900n },
        { ...event, id: 901n },
      ],
      { keepsIds: true },
    );
    await db.commit();
    assert.deepEqual(await queue.query("select ev_id from pgq.event_1 order by 1"), [
      { ev_id: "900" },
      { ev_id: "901" },
    ]);
    await assert.rejects(
      insertEvents(db, "q", [event], { keepsIds: true }),
      (error) => error instanceof SkytoolsError && error.code === "EVENT_ID",
    );
    await db.rollback();
  });
});
