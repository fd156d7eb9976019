import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { answer, createRoot, queueEvents, queuePositions, registerLocations, row } from "./node.ts";

const fixture = databaseFixture(["pgq", "pgq_node"]);

test("a subscriber is known by both names between the steps of renaming it", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await registerLocations(db, "q", "a", "b");
  await answer(db, "pgq_node.register_subscriber", "q", "a", "a_worker", null);
  equal(
    await answer(db, "pgq_node.rename_node_step1", "q", "a", "b"),
    '403 "Name belongs to another node: b"',
  );
  equal(await answer(db, "pgq_node.rename_node_step2", "q", "a", "c"), '404 "Location not found: q/c"');
  for (let times = 0; times < 2; times += 1) {
    equal(await answer(db, "pgq_node.rename_node_step1", "q", "a", "c"), '200 "Node a is known as c too"');
  }
  deepEqual(await queuePositions(db, "q"), [
    ".a.watermark 1",
    ".c.watermark 1",
    ".global_watermark 1",
    "a_worker 1",
  ]);
  equal(await answer(db, "pgq_node.rename_node_step2", "q", "a", "c"), '200 "Node a is called c"');
  equal(await answer(db, "pgq_node.rename_node_step2", "q", "a", "c"), '201 "Node was renamed already: c"');
  deepEqual(await queuePositions(db, "q"), [".c.watermark 1", ".global_watermark 1", "a_worker 1"]);
  deepEqual(await row(db, "pgq_node.get_subscriber_info", "q"), {
    node_name: "c",
    worker_name: "a_worker",
    node_watermark: 1n,
  });
  deepEqual((await queueEvents(db, "q")).slice(-2), [
    ["pgq.location-info", "c", "q", "dbname=a", "false"],
    ["pgq.unregister-location", "a", "q"],
  ]);
});

test("a root is renamed together with everything that names it", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  equal(await answer(db, "pgq_node.rename_node_step1", "x", "root", "top"), '404 "Unknown queue: x"');
  equal(
    await answer(db, "pgq_node.rename_node_step1", "q", "nobody", "top"),
    '404 "Location not found: q/nobody"',
  );
  await answer(db, "pgq_node.rename_node_step1", "q", "root", "top");
  await answer(db, "pgq_node.rename_node_step2", "q", "root", "top");
  const node = await row(db, "pgq_node.get_node_info", "q");
  equal(node.node_name, "top");
  equal(node.provider_node, "top");
  equal(node.provider_location, "dbname=root");
});
