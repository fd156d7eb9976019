import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import {
  answer,
  createRoot,
  createSubscriber,
  queuePositions,
  registerLocations,
  row,
  rowsOf,
  tickEagerly,
} from "./node.ts";

const fixture = databaseFixture(["pgq", "pgq_node", "londiste"]);

const unknownNode = {
  ret_code: 404,
  ret_note: "Unknown queue: cqueue",
  node_type: null,
  node_name: null,
  global_watermark: null,
  local_watermark: null,
  provider_node: null,
  provider_location: null,
  combined_queue: null,
  combined_type: null,
  worker_name: null,
  worker_paused: null,
  worker_uptodate: null,
  worker_last_tick: null,
  node_attrs: null,
  target_for: null,
};

test("a root describes itself, its newest tick and its watermarks", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "aqueue");
  await registerLocations(db, "aqueue", "node2");
  equal(
    await answer(db, "pgq_node.register_subscriber", "aqueue", "node2", "node2_worker", null),
    '200 "Subscriber registered: node2"',
  );
  await tickEagerly(db);
  equal(await db.queryValue("select pgq.ticker('aqueue')"), 2n);
  equal(await db.queryValue("select pgq.ticker('aqueue')"), 3n);
  equal(await answer(db, "pgq_node.set_node_attrs", "aqueue", "test=1"), '200 "Node attributes updated"');
  equal(await answer(db, "pgq_node.set_node_attrs", "cqueue", "test=1"), '404 "Node not found"');

  deepEqual(await row(db, "pgq_node.get_node_info", "aqueue"), {
    ...unknownNode,
    ret_code: 100,
    ret_note: "Ok",
    node_type: "root",
    node_name: "root",
    global_watermark: 1n,
    local_watermark: 1n,
    provider_node: "root",
    provider_location: "dbname=root",
    worker_name: "root_worker",
    worker_paused: false,
    worker_uptodate: false,
    worker_last_tick: 3n,
    node_attrs: "test=1",
  });
  deepEqual(await row(db, "pgq_node.get_worker_state", "aqueue"), {
    ret_code: 100,
    ret_note: "Ok",
    node_type: "root",
    node_name: "root",
    completed_tick: 1n,
    provider_node: "root",
    provider_location: "dbname=root",
    paused: false,
    uptodate: false,
    cur_error: null,
    worker_name: "root_worker",
    global_watermark: 1n,
    local_watermark: 1n,
    local_queue_top: 3n,
    combined_queue: null,
    combined_type: null,
  });
  deepEqual(await rowsOf(db, "pgq_node.get_consumer_info", "aqueue"), [
    {
      consumer_name: "root_worker",
      provider_node: "root",
      last_tick_id: 1n,
      paused: false,
      uptodate: false,
      cur_error: null,
    },
  ]);
  deepEqual(await row(db, "pgq_node.get_node_info", "cqueue"), unknownNode);
  deepEqual(await row(db, "pgq_node.get_node_info", null), { ...unknownNode, ret_note: null });
  equal(await answer(db, "pgq_node.get_worker_state", "cqueue"), '404 "Unknown queue: cqueue"');
});

test("a root adopts a plain queue with its events", async () => {
  const { db } = await fixture.database();
  await db.query("select pgq.create_queue('q'), pgq.insert_event('q', 't', 'd')");
  await createRoot(db, "q");
  equal(await db.queryValue("select count(*)::int4 from pgq.event_1"), 1);
});

test("a root takes over a queue that a branch has left: it takes events and ticks again", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "branch", 10n);
  await db.execute(`
    delete from pgq_node.local_state;
    delete from pgq_node.node_info;
    delete from pgq_node.node_location`);
  await createRoot(db, "q");
  await tickEagerly(db);
  await db.query("select pgq.insert_event('q', 't', 'd')");
  equal(await db.queryValue("select pgq.ticker('q')"), 11n);
});

test("a branch gets a queue that takes neither events nor ticks of its own", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "bqueue", "branch", 10n);
  deepEqual(await db.query("select queue_external_ticker, queue_disable_insert from pgq.queue"), [
    { queue_external_ticker: true, queue_disable_insert: true },
  ]);
  deepEqual(
    await db.query("select tick_id from pgq.tick order by 1").then((rows) => rows.map((one) => one.tick_id)),
    [1n, 10n],
  );
  await rejects(db.query("select pgq.insert_event('bqueue', 't', 'd')"), /Insert into queue disallowed/);
  const info = await row(db, "pgq_node.get_node_info", "bqueue");
  deepEqual([info.global_watermark, info.local_watermark, info.worker_last_tick], [10n, 10n, 10n]);
  equal(await db.queryValue("select pgq_node.is_root_node('bqueue')"), false);
  equal(await db.queryValue("select pgq_node.is_leaf_node('bqueue')"), false);
});

test("a merge-leaf and its combined queue know each other", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "combined", "branch", 1n);
  await createSubscriber(db, "part2", "leaf", 13n, "combined");
  await createSubscriber(db, "part1", "leaf", 14n, "combined");
  const leaf = await row(db, "pgq_node.get_node_info", "part2");
  deepEqual(
    [leaf.combined_queue, leaf.combined_type, leaf.local_watermark, leaf.global_watermark],
    ["combined", "branch", 13n, null],
  );
  deepEqual((await row(db, "pgq_node.get_node_info", "combined")).target_for, ["part1", "part2"]);
  equal(await db.queryValue("select pgq_node.is_leaf_node('part1')"), true);
  equal(
    await answer(db, "pgq_node.register_subscriber", "part1", "provider", "w", null),
    '401 "Cannot subscribe to leaf node"',
  );

  equal(await answer(db, "pgq_node.drop_node", "combined", "branch"), '200 "Node dropped: branch"');
  deepEqual(
    { ...(await row(db, "pgq_node.get_worker_state", "part1")), cur_error: "" },
    {
      ret_code: 404,
      ret_note: "Combinde queue node not found: combined",
      node_type: "leaf",
      node_name: "leaf",
      completed_tick: 14n,
      provider_node: "provider",
      provider_location: "dbname=provider",
      paused: false,
      uptodate: false,
      cur_error: "",
      worker_name: "leaf_worker",
      global_watermark: null,
      local_watermark: null,
      local_queue_top: null,
      combined_queue: "combined",
      combined_type: null,
    },
  );
});

test("wrong arguments of create_node are answered or refused, and leave nothing", async () => {
  const { db } = await fixture.database();
  await registerLocations(db, "q", "n1", "n2");
  const create = (...args: readonly unknown[]): Promise<string> =>
    answer(db, "pgq_node.create_node", "q", ...args);
  equal(await create("root", "n1", "w", "n2", null, null), '401 "unexpected args for root"');
  equal(await create("root", "n1", "w", null, 1n, null), '401 "unexpected args for root"');
  equal(await create("root", "n1", "w", null, null, "c"), '401 "unexpected args for root"');
  equal(await create("branch", "n1", "w", null, 1n, null), '401 "provider not set for branch"');
  equal(await create("branch", "n1", "w", "n2", null, null), '401 "global watermark not set for branch"');
  equal(await create("leaf", "n1", "w", "n2", 1n, "c"), '401 "non-existing queue on leaf side: c"');
  equal(await create("trunk", "n1", "w", "n2", 1n, null), '401 "bad node type: trunk"');
  await rejects(create("leaf", "n1", "w", "n9", 1n, null), /local_state_queue_name_provider_node_fkey/);
  await rejects(create("leaf", "n9", "w", "n1", 1n, null), /node_info_queue_name_node_name_fkey/);
  await rejects(create("leaf", "n1", null, "n2", 1n, null), /node_info_check/);
  await rejects(create("leaf", "n1", "w", "n2", null, null), /last_tick_id/);
  await db.query("select pgq.create_queue('c')");
  await rejects(create("branch", "n1", "w", "n2", 1n, "c"), /node_info_check/);
  deepEqual(await db.query("select queue_name from pgq.queue"), [{ queue_name: "c" }]);
  await create("leaf", "n1", "w", "n2", 1n, null);
  equal(await create("leaf", "n1", "w", "n2", 1n, null), '401 "Node already initialized"');
  for (const queue of ["cqueue", null]) {
    await rejects(
      db.query("select pgq_node.is_root_node($1)", [queue]),
      new RegExp(`queue does not exist: ${queue ?? "<NULL>"}`),
    );
  }
});

test("dropping nodes in any order ends with nothing", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "aqueue");
  await registerLocations(db, "aqueue", "node2", "node4");
  await answer(db, "pgq_node.register_subscriber", "aqueue", "node2", "node2_worker", null);
  await createSubscriber(db, "mqueue", "leaf", 13n, "aqueue");
  await registerLocations(db, "mqueue", "node3");
  equal(
    await answer(db, "pgq_node.drop_node", "mqueue", "provider"),
    '405 "Cannot drop provider node: provider"',
  );
  for (const [queue, node] of [
    ["asd", "node3"],
    ["mqueue", "node3"],
    ["mqueue", "leaf"],
    ["mqueue", "node1"],
    ["aqueue", "node5"],
    ["aqueue", "node4"],
    ["aqueue", "root"],
    ["aqueue", "node2"],
  ] as const) {
    equal(await answer(db, "pgq_node.drop_node", queue, node), `200 "Node dropped: ${node}"`);
  }
  for (const table of ["node_location", "node_info", "local_state", "subscriber_info"]) {
    deepEqual(await db.query(`select * from pgq_node.${table}`), []);
  }
  deepEqual(await db.query("select * from pgq.queue"), []);
  deepEqual(await db.query("select * from pgq.consumer"), []);
});

test("drop_node never drops a plain queue of that name, but finishes a half-removed node", async () => {
  const { db } = await fixture.database();
  await db.query("select pgq.create_queue('plain')");
  equal(await answer(db, "pgq_node.drop_node", "plain", "n1"), '200 "Node dropped: n1"');
  equal(await db.queryValue("select count(*)::int4 from pgq.queue"), 1);

  await createRoot(db, "half");
  await db.execute("delete from pgq_node.local_state; delete from pgq_node.node_info");
  equal(await answer(db, "pgq_node.drop_node", "half", "n1"), '200 "Node dropped: n1"');
  deepEqual(await db.query("select queue_name from pgq.queue"), [{ queue_name: "plain" }]);

  await createSubscriber(db, "plain", "leaf", 1n);
  equal(await answer(db, "pgq_node.drop_node", "plain", "leaf"), '200 "Node dropped: leaf"');
  deepEqual(await db.query("select queue_name from pgq.queue"), [{ queue_name: "plain" }]);
});

test("drop_node removes londiste registrations and triggers, also in replica role", async () => {
  for (const role of ["origin", "replica"]) {
    const { db } = await fixture.database();
    await createRoot(db, "q");
    await db.execute("create table t (id int4 primary key); create sequence s");
    equal(await answer(db, "londiste.local_add_table", "q", "t"), '200 "Table added: public.t"');
    equal(await answer(db, "londiste.local_add_seq", "q", "s"), '200 "Sequence added: public.s"');
    await db.execute(`set session_replication_role = ${role}`);
    await answer(db, "pgq_node.drop_node", "q", "root");
    deepEqual(await db.query("select * from londiste.table_info"), []);
    deepEqual(await db.query("select * from londiste.seq_info"), []);
    deepEqual(await db.query("select tgname from pg_trigger where tgrelid = 't'::regclass"), []);
  }
});

test("subscribers are registered, moved and removed with their consumers", async () => {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await registerLocations(db, "q", "n2", "n3");
  await tickEagerly(db);
  await db.query("select pgq.ticker('q')");
  const register = (node: string, tick: bigint | null): Promise<Record<string, unknown>> =>
    row(db, "pgq_node.register_subscriber", "q", node, `${node}_worker`, tick);
  deepEqual(await register("n2", null), {
    ret_code: 200,
    ret_note: "Subscriber registered: n2",
    global_watermark: 1n,
  });
  await register("n3", 2n);
  deepEqual(await queuePositions(db, "q"), [
    ".global_watermark 1",
    ".n2.watermark 1",
    ".n3.watermark 1",
    "n2_worker 1",
    "n3_worker 2",
  ]);
  await rejects(register("n2", null), /subscriber_info_pkey/);
  await rejects(register("n9", null), /subscriber_info_queue_name_subscriber_node_fkey/);
  await rejects(register("n9", 77n), /cannot reposition, tick not found: 77/);
  equal(await answer(db, "pgq_node.register_subscriber", "zq", "n2", "w", null), '404 "Unknown queue: zq"');
  await rejects(
    db.query("select pgq.unregister_consumer('q', 'n2_worker')"),
    /subscriber_info_worker_name_fkey/,
  );
  equal(await answer(db, "pgq_node.unregister_subscriber", "q", "n2"), '200 "Subscriber unregistered: n2"');
  equal(await answer(db, "pgq_node.unregister_subscriber", "q", "n2"), '304 "Subscriber not found"');
  deepEqual(await queuePositions(db, "q"), [".global_watermark 1", ".n3.watermark 1", "n3_worker 2"]);
});
