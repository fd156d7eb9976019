import {
  commitDurably,
  configuredConsumer,
  configuredQueue,
  type NodeInfo,
  nodeOf,
} from "@skytools/pgq/cascade";
import { type Database, type Job, mergeConnectString, SkytoolsError, UsageError } from "@skytools/skytools";

/** What a command works on. */
export interface LocalNode {
  readonly job: Job;
  readonly queueName: string;
  readonly workerName: string;
  readonly node: NodeInfo;
  readonly local: Database;
}

/** Opens the local database and reads its node.
 * @throws UsageError when there is none */
export async function openLocalNode(job: Job): Promise<LocalNode> {
  const queueName = configuredQueue(job.config);
  const local = await job.databases.get("db", { onConnect: commitDurably });
  const node = await nodeOf(local, queueName);
  if (node === undefined) {
    throw new UsageError(`queue "${queueName}" has no node in ${local.label}`, {
      hint: "Create it first with create-root, create-branch or create-leaf.",
    });
  }
  return { job, queueName, workerName: configuredConsumer(job.config, job.name), node, local };
}

/** Connects to the node that this one reads from; a root is its own provider.
 * @param key name of the connection, for whoever needs several
 * @throws SkytoolsError CASCADE_NODE when it is not known where that is */
export async function openProvider(at: LocalNode, key = "provider"): Promise<Database> {
  if (at.node.nodeType === "root") return at.local;
  if (at.node.providerLocation === "") {
    throw new SkytoolsError("CASCADE_NODE", `location of provider "${at.node.providerNode}" is not known`);
  }
  const { config, databases } = at.job;
  const connstr = mergeConnectString(at.node.providerLocation, config.getOr("remote_extra_connstr", ""));
  return databases.get(key, { connstr, onConnect: commitDurably });
}
