import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Config, Database, Databases, type Job } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster } from "@skytools/testbed";
import { londisteConfig } from "#src/londiste-config.js";
import { removeLeftoverCopies } from "#src/replay/leftover-copies.js";
import { silentLog } from "../fixture/apply-bench.js";

const copyName = "worker.copy.public.gone";

let cluster: Cluster;
let db: Database;
let copyNode: string;
let databases: Databases;

before(async () => {
  cluster = await startCluster();
  const modules = ["pgq", "pgq_node", "londiste"];
  db = await Database.open(await moduleDatabase(cluster, modules));
  copyNode = await moduleDatabase(cluster, modules);
  databases = new Databases({ setting: () => undefined, log: silentLog });
  await run("select pgq_node.register_location('q', 'root', 'dbname=x', false)");
  await run("select pgq_node.create_node('q', 'root', 'root', 'worker', null, null, null)");
});

after(async () => {
  await databases.closeAll();
  await db.close();
  await cluster[Symbol.asyncDispose]();
});

async function run(sql: string, parameters: readonly unknown[] = []): Promise<void> {
  await db.query(sql, parameters);
  await db.commit();
}

/** A copy from node `far` has ended. */
async function remove(location: string, isDead = false): Promise<boolean> {
  await run("select pgq_node.register_location('q', 'far', $1, $2)", [location, isDead]);
  await run(`select pgq_node.register_consumer('q', '${copyName}', 'far', 1)`);
  const config = Config.parse("[londiste3]\ndb = dbname=x\n", "londiste3", { groups: [londisteConfig] });
  return removeLeftoverCopies({
    job: { log: silentLog, config, databases } as unknown as Job,
    source: db,
    providerNode: "root",
    target: db,
    queueName: "q",
    workerName: "worker",
    tables: [],
    running: new Set(),
  });
}

async function isKnown(): Promise<boolean> {
  const rows = await db.query("select from pgq_node.get_consumer_info('q') where consumer_name = $1", [
    copyName,
  ]);
  await db.commit();
  return rows.length > 0;
}

test("what is known of a copy that has ended stays while the node that it read from cannot be asked; then both forget it", async () => {
  await using far = await Database.open(copyNode, { autocommit: true });
  await far.query("select pgq.create_queue('q')");
  await far.query("select pgq.register_consumer('q', $1)", [copyName]);
  assert.equal(await remove("host=/nowhere dbname=x"), false);
  assert.equal(await isKnown(), true);
  assert.match(
    silentLog.lines.join("\n"),
    /consumer of an ended copy stays on node "far" until it can be asked: /,
  );
  assert.equal(await remove(copyNode), true);
  assert.equal(await isKnown(), false);
  assert.deepEqual(await far.query("select from pgq.get_consumer_info('q')"), []);
});

test("a node that is dead for good is not asked", async () => {
  assert.equal(await remove("host=/nowhere dbname=x", true), true);
  assert.equal(await isKnown(), false);
});
