import { getQueueLocations, type NodeType, nodeOf } from "@skytools/pgq/cascade";
import { type Database, type Job, mergeConnectString, SkytoolsError, UsageError } from "@skytools/skytools";
import type { TableHandler } from "../handler/handler.ts";
import { type HandlerRegistry, handlerSpecOfTable } from "../handler/handler-registry.ts";
import { getTableList, type ReplicatedTable } from "../londiste-api.ts";

/** Value of the attribute `copy_node` for: whichever node upstream has the table. */
export const anyCopyNode = "?";

/** A node that tables are copied from. */
export interface CopyNode {
  readonly name: string;
  readonly location: string;
  readonly db: Database;
}

export interface CopyNodeSearch {
  readonly job: Job;
  readonly registry: HandlerRegistry;
  readonly queueName: string;
  /** where to begin: the provider */
  readonly start: { readonly name: string; readonly location: string };
  /** set names of what has to be there */
  readonly tables: readonly string[];
}

/** Goes upstream to the first node that has all of the tables, complete.
 * @throws SkytoolsError COPY when none has
 * Source: spec/londiste.md 8.5 */
export async function findCopyNode(search: CopyNodeSearch): Promise<CopyNode> {
  const { job, queueName, registry } = search;
  let { name, location } = search.start;
  for (const passed = new Set<string>(); !passed.has(name); ) {
    passed.add(name);
    job.log.info(`Checking if ${name} can be used for copy`);
    const db = await openCopyNode(job, location);
    const node = await nodeOf(db, queueName);
    if (node === undefined) throw new SkytoolsError("COPY", `Node does not exist: ${name} (${db.label})`);
    const tables = await getTableList(db, queueName);
    await db.rollback();
    if (search.tables.every((table) => hasWhole(registry, node.nodeType, tables, table))) {
      job.log.info(`Node ${name} seems good source, using it`);
      return { name, location, db };
    }
    job.log.info(`Node ${name} does not have all tables`);
    if (node.nodeType === "root") break;
    name = node.providerNode;
    location = node.providerLocation;
  }
  throw new SkytoolsError("COPY", `Found root and no source found for ${search.tables.join(", ")}`, {
    retry: "later",
    hint: "Add the tables on the root first.",
  });
}

/** The other node's handler may be one that is not known here: then nobody can tell whether it has the rows. */
function hasWhole(
  registry: HandlerRegistry,
  nodeType: NodeType,
  tables: readonly ReplicatedTable[],
  name: string,
): boolean {
  const table = tables.find((entry) => entry.name === name);
  if (table === undefined || !table.isLocal || isShared(tables, table)) return false;
  try {
    return isCopySource(registry.ofTable(table), nodeType);
  } catch (error) {
    if (error instanceof SkytoolsError) return false;
    throw error;
  }
}

/** Whether rows of another table of the set lie in its local table too: nobody can tell them apart. */
export function isShared(
  tables: readonly ReplicatedTable[],
  { name, destination }: ReplicatedTable,
): boolean {
  return tables.some((other) => other.isLocal && other.name !== name && other.destination === destination);
}

/** Whether a table has all the rows that the events of its node's queue are about. What shard and obfuscate keep from the nodes
 * behind, they keep from the queue too; and on a root the application writes, whatever the handler. */
function isCopySource(handler: TableHandler | undefined, nodeType: NodeType): boolean {
  if (handler?.copiesRows === false) return false;
  return nodeType === "root" || handler?.isComplete !== false || handler.forward !== undefined;
}

/** What a node has of a table that must not be copied from there, for a message.
 * @param tables of the set, as registered on that node
 * @param table one of them
 * @returns undefined where it may, also with a handler that is not known here */
export function partialSource(
  { log }: Pick<Job, "log">,
  registry: HandlerRegistry,
  nodeType: NodeType,
  tables: readonly ReplicatedTable[],
  table: ReplicatedTable,
): string | undefined {
  if (isShared(tables, table))
    return `its table ${table.destination} has rows of others than ${table.name} too`;
  const handlerName = handlerSpecOfTable(table)?.name ?? "";
  try {
    if (isCopySource(registry.ofTable(table), nodeType)) return undefined;
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    log.warn(
      `${table.name}: whether its provider, with handler "${handlerName}", has all rows cannot be told: ${error.message}`,
    );
    return undefined;
  }
  return `with handler "${handlerName}" it does not have the rows of ${table.name} as its queue has their changes`;
}

/** A member by its name.
 * @throws UsageError */
export async function namedCopyNode(
  job: Job,
  local: Database,
  queueName: string,
  name: string,
  localName: string,
): Promise<CopyNode> {
  if (name === localName) throw new UsageError("Cannot use itself as provider");
  const members = await getQueueLocations(local, queueName);
  const member = members.find((entry) => entry.nodeName === name);
  if (member === undefined) throw new UsageError(`Cannot find node ${name}`);
  return { name, location: member.location, db: await openCopyNode(job, member.location) };
}

async function openCopyNode(job: Job, location: string): Promise<Database> {
  const connstr = mergeConnectString(location, job.config.getOr("remote_extra_connstr", ""));
  return job.databases.get(`copy_node.${location}`, { connstr });
}
