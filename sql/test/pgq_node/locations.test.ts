import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import {
  answer,
  createRoot,
  createSubscriber,
  queueEvents,
  queuePositions,
  registerLocations,
  rowsOf,
} from "./node.ts";

const fixture = databaseFixture(["pgq", "pgq_node"]);

test("locations are stored, replaced, listed and removed before there is a node", async () => {
  const { db } = await fixture.database();
  await registerLocations(db, "q", "node1", "node2");
  const register = (node: string, location: string | null, isDead: boolean): Promise<string> =>
    answer(db, "pgq_node.register_location", "q", node, location, isDead);
  equal(await register("node2", "dbname=other", false), '200 "Location registered"');
  equal(await register("node1", null, true), '200 "Location registered"');
  equal(await register("node3", null, true), '200 "Location registered"');
  deepEqual(await rowsOf(db, "pgq_node.get_queue_locations", "q"), [
    { node_name: "node1", node_location: "dbname=node1", dead: true },
    { node_name: "node2", node_location: "dbname=other", dead: false },
  ]);
  equal(await answer(db, "pgq_node.unregister_location", "q", "node2"), '200 "Ok"');
  equal(await answer(db, "pgq_node.unregister_location", "q", "node2"), '301 "Location not found: q/node2"');
  await rejects(db.query("select pgq_node.register_location('q', 'n', 'x', null)"), /not-null|null value/);
});

test("a root announces locations to the cascade, others do not", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await registerLocations(db, "q", "n2");
  await answer(db, "pgq_node.register_location", "q", "n2", null, true);
  await answer(db, "pgq_node.register_location", "q", "n3", null, true);
  await answer(db, "pgq_node.unregister_location", "q", "n9");
  await answer(db, "pgq_node.unregister_location", "q", "n2");
  deepEqual(await queueEvents(db, "q"), [
    ["pgq.location-info", "n2", "q", "dbname=n2", "false"],
    ["pgq.location-info", "n2", "q", null, "true"],
    ["pgq.location-info", "n3", "q", null, "true"],
    ["pgq.unregister-location", "n9", "q"],
    ["pgq.unregister-location", "n2", "q"],
  ]);
  deepEqual(await rowsOf(db, "pgq_node.get_queue_locations", "q"), [
    { node_name: "root", node_location: "dbname=root", dead: false },
  ]);
});

test("neither the node's own location nor its provider's can be removed", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "leaf", 1n);
  equal(
    await answer(db, "pgq_node.unregister_location", "q", "leaf"),
    `403 "Cannot drop node's own location"`,
  );
  equal(
    await answer(db, "pgq_node.unregister_location", "q", "provider"),
    `403 "Cannot drop location of node's parent"`,
  );
});

test("the location of a subscriber takes its subscription along", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await registerLocations(db, "q", "n2");
  equal(
    await answer(db, "pgq_node.register_subscriber", "q", "n2", "n2_worker", null),
    '200 "Subscriber registered: n2"',
  );
  deepEqual(await queuePositions(db, "q"), [".global_watermark 1", ".n2.watermark 1", "n2_worker 1"]);
  equal(await answer(db, "pgq_node.unregister_location", "q", "n2"), '200 "Ok"');
  deepEqual(await queuePositions(db, "q"), [".global_watermark 1"]);
  deepEqual(await rowsOf(db, "pgq_node.get_subscriber_info", "q"), []);
});

test("names with quotes, dots and backslashes work everywhere", async () => {
  const { db } = await fixture.database();
  const queue = String.raw`Queue "of" it's \d.x`;
  const node = String.raw`No'de.\ "1"`;
  await registerLocations(db, queue, node);
  equal(
    await answer(db, "pgq_node.create_node", queue, "root", node, `${node}_w`, null, null, null),
    `200 "Node "${node}" initialized for queue "${queue}" with type "root""`,
  );
  await registerLocations(db, queue, "sub.'x");
  await answer(db, "pgq_node.register_subscriber", queue, "sub.'x", "w'x", null);
  deepEqual(await rowsOf(db, "pgq_node.get_subscriber_info", queue), [
    { node_name: "sub.'x", worker_name: "w'x", node_watermark: 1n },
  ]);
  equal(
    await answer(db, "pgq_node.demote_root", queue, 1, null),
    `200 "Step 1: Writing disabled for: ${queue}"`,
  );
  equal(
    await answer(db, "pgq_node.demote_root", queue, 2, null),
    `200 "Step 2: Inserted last tick: ${queue}"`,
  );
  equal(await answer(db, "pgq_node.drop_node", queue, node), `200 "Node dropped: ${node}"`);
  deepEqual(await db.query("select * from pgq.queue"), []);
});
