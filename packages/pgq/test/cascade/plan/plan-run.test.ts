import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Databases, type Job, type Log } from "@skytools/skytools";
import { startCluster, waitFor } from "@skytools/testbed";
import type { CascadeAdmin } from "#src/cascade/cascade-admin.js";
import type { PlanStep } from "#src/cascade/plan/plan.js";
import { runPlan } from "#src/cascade/plan/plan-run.js";

const cluster = await startCluster();
after(() => cluster[Symbol.asyncDispose]());

const log = { info() {}, warn() {}, debug() {} } as unknown as Log;
const step = { node: "a", action: "", doneWhen: "", undoneBy: null, isDone: async () => false };

test("what a step has left in its transaction, failed or not, neither hinders taking steps back nor is committed with that", async () => {
  await cluster.query("create table said (what text)");
  const databases = new Databases({
    setting: (key) => (key.length === 1 ? cluster.connstr() : undefined),
    log,
  });
  const say = async (what: string) => {
    const db = await databases.get("a");
    await db.query("insert into said values ($1)", [what]);
    await db.commit();
  };
  const paused: PlanStep = {
    ...step,
    name: "pause",
    undoneBy: "resume",
    run: () => say("paused"),
    undo: () => say("resumed"),
  };
  const failing = (sql: string): PlanStep => ({
    ...step,
    name: "fail",
    run: async () => {
      const db = await databases.get("a");
      await db.execute(sql);
      const other = await databases.get("b");
      await other.execute("select 1 / 0");
    },
  });
  const admin = { job: { log, databases } as unknown as Job } as CascadeAdmin;
  for (const sql of ["select 1 / 0", "insert into said values ('half')"]) {
    const plan = { title: "t", findings: [], steps: [paused, failing(sql)], workers: [] };
    await assert.rejects(runPlan(admin, plan), (error: Error & { hint?: string }) => {
      assert.match(error.message, /division by zero/);
      assert.match(error.hint ?? "", /^Undone: pause@a\. /);
      return true;
    });
  }
  await databases.closeAll();
  assert.deepEqual(
    (await cluster.query<{ what: string }>("select what from said")).map(({ what }) => what),
    ["paused", "resumed", "paused", "resumed"],
  );
});

test("a step that the server gives up in a deadlock is done again", async () => {
  await cluster.query("create table forks as select generate_series(1, 2) as id");
  const databases = new Databases({
    setting: (key) => (key.length === 1 ? cluster.connstr() : undefined),
    log,
  });
  const db = await databases.get("a");
  const other = await databases.get("b");
  const take = (id: number) => `select from forks where id = ${id} for update`;
  let attempts = 0;
  const hungry: PlanStep = {
    ...step,
    name: "eat",
    run: async () => {
      attempts += 1;
      await db.execute("set local deadlock_timeout = '10ms'");
      await db.execute(take(1));
      if (attempts > 1) return db.commit();
      await other.execute("set local deadlock_timeout = '1h'");
      await other.execute(take(2));
      const otherHas = other.execute(take(1)).then(() => other.commit());
      otherHas.catch(() => {});
      await waitFor("the other to wait", async () => {
        const waiting = `select 1 where cardinality(pg_blocking_pids(${other.backendPid})) > 0`;
        return (await cluster.query(waiting)).length > 0;
      });
      await db.execute(take(2));
    },
  };
  const admin = { job: { log, databases } as unknown as Job } as CascadeAdmin;
  await runPlan(admin, { title: "t", findings: [], steps: [hungry], workers: [] });
  assert.equal(attempts, 2);
  await databases.closeAll();
});
