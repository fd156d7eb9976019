import { type Database, mergeConnectString, SkytoolsError, UsageError } from "@skytools/skytools";
import { commitDurably } from "../durable-commits.ts";
import type { CascadeAdmin } from "./cascade-admin.ts";
import type { NodeInfo, NodeLocation, ReachedNode } from "./node-info.ts";
import { getNodeInfo, getQueueLocations } from "./pgq-node-api.ts";

/** Connects to the node's own database, as configured. */
export async function openLocal(admin: CascadeAdmin): Promise<Database> {
  return admin.job.databases.get(admin.databaseKey, { onConnect: commitDurably });
}

/** an administrator's patience with a host that does not answer; connect_timeout of a location overrides it */
const connectTimeout = "connect_timeout=10";

/** Connects to another node at its stored location, with what the configuration adds for remote connections. One connection
 * is kept for each location. */
export async function openLocation(admin: CascadeAdmin, location: string): Promise<Database> {
  const { config, databases } = admin.job;
  const remote = mergeConnectString(location, config.getOr("remote_extra_connstr", ""));
  const connstr = mergeConnectString(connectTimeout, remote);
  const db = await databases.get(`node.${location}`, { connstr, onConnect: commitDurably });
  if (db.inTransaction) await db.rollback();
  return db;
}

/** True when the schema that holds cascade state exists; without it every question about nodes is an SQL error. */
async function hasNodeSchema(db: Database): Promise<boolean> {
  const isThere = await db.queryValue<boolean>("select to_regnamespace('pgq_node') is not null");
  await db.commit();
  return isThere === true;
}

/** The node of a database; leaves no transaction open.
 * @returns undefined when there is none, or no cascade schema at all */
export async function nodeOf(db: Database, queueName: string): Promise<NodeInfo | undefined> {
  if (!(await hasNodeSchema(db))) return undefined;
  const node = await getNodeInfo(db, queueName);
  await db.commit();
  return node;
}

/** The local node.
 * @throws UsageError when it was not created yet */
export async function requireLocalNode(admin: CascadeAdmin, local: Database): Promise<NodeInfo> {
  const node = await nodeOf(local, admin.queueName);
  if (node !== undefined) return node;
  throw new UsageError(`queue "${admin.queueName}" has no node in ${local.label}`, {
    hint: "Create it first with create-root, create-branch or create-leaf.",
  });
}

/** Members that a node knows, by name; leaves no transaction open. */
export async function membersOf(db: Database, queueName: string): Promise<NodeLocation[]> {
  const members = await getQueueLocations(db, queueName);
  await db.commit();
  return members;
}

/** Follows providers from a location up to the root.
 * @throws SkytoolsError CASCADE_TOPOLOGY when a database on the way has no node, or the way leads in a circle */
export async function findRoot(admin: CascadeAdmin, startLocation: string): Promise<ReachedNode> {
  const passed = new Set<string>();
  let location = startLocation;
  for (;;) {
    const db = await openLocation(admin, location);
    const node = await nodeOf(db, admin.queueName);
    if (node === undefined) {
      throw new SkytoolsError(
        "CASCADE_TOPOLOGY",
        `queue "${admin.queueName}" has no node in ${db.label}, which is on the way to the root`,
        { hint: "Create the provider's node first." },
      );
    }
    if (node.nodeType === "root") return { node, db, location };
    if (passed.has(node.nodeName)) {
      throw new SkytoolsError(
        "CASCADE_TOPOLOGY",
        `find_root_db: got loop: nodes ${[...passed].map((name) => `"${name}"`).join(", ")} provide for each other, there is no root`,
      );
    }
    passed.add(node.nodeName);
    location = node.providerLocation;
  }
}
