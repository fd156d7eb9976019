import { match } from "node:assert/strict";
import { describe, test } from "node:test";
import type { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { databaseFixture, type Session } from "../fixture.ts";
import { answer, createRoot, createSubscriber, registerLocations } from "./node.ts";

// A worker holds its position while it replays events that lock the node: whoever needs both has to wait for it, and must not
// hold the node meanwhile.
describe("beside a worker in the middle of a batch", () => {
  const fixture = databaseFixture(["pgq", "pgq_node"]);

  async function branch(): Promise<Session> {
    const session = await fixture.database();
    await createSubscriber(session.db, "q", "branch", 1n);
    await registerLocations(session.db, "q", "other");
    return session;
  }

  async function root(): Promise<Session> {
    const session = await fixture.database();
    await createRoot(session.db, "q");
    await registerLocations(session.db, "q", "other");
    return session;
  }

  async function demotedRoot(): Promise<Session> {
    const session = await root();
    for (const step of [1, 2]) await answer(session.db, "pgq_node.demote_root", "q", step, "other");
    return session;
  }

  const cases: readonly [
    name: string,
    node: () => Promise<Session>,
    call: (db: Database) => Promise<string>,
  ][] = [
    ["a provider is renamed", branch, (db) => renamed(db, "provider")],
    ["a branch is promoted", branch, (db) => answer(db, "pgq_node.promote_branch", "q")],
    ["a root is demoted", demotedRoot, (db) => answer(db, "pgq_node.demote_root", "q", 3, "other")],
    ["a root is renamed", root, (db) => renamed(db, "root")],
    ["a watermark is published", root, (db) => answer(db, "pgq_node.set_global_watermark", "q", null)],
    [
      "a consumer is moved",
      branch,
      (db) => answer(db, "pgq_node.register_consumer", "q", "branch_worker", "other", 1),
    ],
    [
      "a consumer is unregistered",
      branch,
      (db) => answer(db, "pgq_node.unregister_consumer", "q", "branch_worker"),
    ],
    ["a node is dropped", branch, (db) => answer(db, "pgq_node.drop_node", "q", "branch")],
  ];

  for (const [name, node, call] of cases) {
    test(`${name} without a deadlock`, async () => {
      const { db, another } = await node();
      const worker = await another({ autocommit: false });
      const [state] = await db.query<{ worker: string }>(
        "select worker_name as worker from pgq_node.node_info",
      );
      await answer(worker, "pgq_node.set_consumer_error", "q", state!.worker, null);
      const admin = await another();
      const called = call(admin);
      await waitFor("the call to wait for the worker", () =>
        db.queryValue("select $2 = any (pg_blocking_pids($1))", [admin.backendPid, worker.backendPid]),
      );
      await answer(worker, "pgq_node.set_node_attrs", "q", null);
      await worker.commit();
      match(await called, /^20[01] /);
    });
  }
});

async function renamed(db: Database, name: string): Promise<string> {
  await answer(db, "pgq_node.rename_node_step1", "q", name, "new");
  return answer(db, "pgq_node.rename_node_step2", "q", name, "new");
}
