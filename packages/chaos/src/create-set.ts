import { moduleDatabase } from "@skytools/testbed";
import { arrivals } from "./arrivals.ts";
import { CascadeModel, databases, type NodeKey, nodeKeys, queueNodes } from "./cascade-model.ts";
import { allTables, sequence, spacious } from "./chaos-tables.ts";
import { queueName, rotationSeconds } from "./configuration.ts";
import { daemonNames } from "./daemons.ts";
import type { Stage } from "./stage.ts";

const modules = ["pgq", "pgq_node", "londiste"];
/** The node whose table is on the small disk. */
const smallDiskNode: NodeKey = "n5";

/** Creates databases and nodes, starts all daemons, and waits until all tables are everywhere.
 * @returns the model of what is there */
export async function createSet(stage: Stage): Promise<CascadeModel> {
  const model = new CascadeModel();
  for (const key of nodeKeys) {
    await moduleDatabase(stage.servers.cluster(databases[key]), modules, key);
    for (const { create } of allTables) await stage.query(key, create);
    await stage.query(key, arrivals);
  }
  if (stage.smallDisk !== undefined) {
    await stage.query(
      smallDiskNode,
      `create tablespace small location '${stage.smallDisk.tablespaceDirectory}'`,
    );
    await stage.query(smallDiskNode, `alter table ${spacious.name} set tablespace small`);
  }
  await stage.londiste(model.root, ["create-root", model.root, stage.connstr(model.root)]);
  for (const name of daemonNames.filter((each) => each.startsWith("pgqd"))) stage.daemons.start(name);
  stage.daemons.start(`worker ${model.root}`);
  for (const key of model.subscribers) {
    const type = queueNodes.includes(key) ? "branch" : "leaf";
    const provider = stage.connstr(model.providerOf(key)!);
    await stage.londiste(key, [`create-${type}`, key, stage.connstr(key), `--provider=${provider}`]);
    stage.daemons.start(`worker ${key}`);
  }
  for (const key of queueNodes) await configureQueue(stage, key);
  for (const key of [model.root, ...model.subscribers]) {
    await stage.londiste(key, ["add-table", ...allTables.map(({ name }) => name)]);
    await stage.londiste(key, ["add-seq", sequence]);
  }
  for (const key of model.subscribers) await stage.londiste(key, ["wait-sync"]);
  return model;
}

/** A branch too: it may become the root. */
async function configureQueue(stage: Stage, key: NodeKey): Promise<void> {
  const settings = {
    ticker_max_lag: "1 second",
    ticker_idle_period: "2 seconds",
    rotation_period: `${rotationSeconds} seconds`,
  };
  for (const [name, value] of Object.entries(settings))
    await stage.query(key, "select pgq.set_queue_config($1, $2, $3)", [queueName, name, value]);
}
