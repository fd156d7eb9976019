import { nodeOf } from "@skytools/pgq/cascade";
import { type Database, UsageError } from "@skytools/skytools";
import type { HandlerRegistry } from "../handler/handler-registry.ts";
import { getTableList, type ReplicatedTable } from "../londiste-api.ts";
import { anyCopyNode, type CopyNode, findCopyNode, namedCopyNode, partialSource } from "./copy-node.ts";
import type { LocalNode } from "./local-node.ts";

/** A node that tables are taken from. */
export interface TableSource {
  readonly db: Database;
  /** of the set, as that node has them */
  readonly tables: readonly ReplicatedTable[];
}

/** What add-table wants of it. */
export interface SourceWish {
  readonly registry: HandlerRegistry;
  /** as in the attribute `copy_node` */
  readonly copyNode: string | undefined;
  readonly createsTables: boolean;
  /** @param name set name */
  copiesRows(name: string): boolean;
}

/** The node that tables are copied from and created after; undefined: the provider. */
export async function chooseSource(
  at: LocalNode,
  wish: SourceWish,
  names: readonly string[],
  provider: TableSource,
): Promise<CopyNode | undefined> {
  const { job, local, queueName, node } = at;
  const { registry, copyNode: wanted, createsTables } = wish;
  if (node.nodeType === "root" || names.length === 0) return undefined;
  if (wanted !== undefined && wanted !== anyCopyNode) {
    const named = await namedCopyNode(job, local, queueName, wanted, node.nodeName);
    const [why] = await partialSources(at, wish, names, {
      db: named.db,
      tables: await getTableList(named.db, queueName),
    });
    if (why === undefined) return named;
    throw new UsageError(`cannot copy from "${wanted}": ${why}`, {
      hint: "--find-copy-node looks for a node upstream that has them.",
    });
  }
  if (!createsTables && job.flag("expectSync")) return undefined;
  if (wanted === undefined) {
    const [why] = await partialSources(at, wish, names, provider);
    if (why === undefined) return undefined;
    job.log.info(`not copied from "${node.providerNode}": ${why}`);
  }
  const start = { name: node.providerNode, location: node.providerLocation };
  return findCopyNode({ job, registry, queueName, start, tables: names });
}

/** Why some of the tables cannot be copied from a node that has them. */
async function partialSources(
  { job, queueName }: LocalNode,
  wish: SourceWish,
  names: readonly string[],
  { db, tables }: TableSource,
): Promise<string[]> {
  const node = await nodeOf(db, queueName);
  await db.rollback();
  if (node === undefined || job.flag("expectSync")) return [];
  const copied = names.filter((name) => wish.copiesRows(name));
  return tables
    .filter((table) => table.isLocal && copied.includes(table.name))
    .flatMap((table) => partialSource(job, wish.registry, node.nodeType, tables, table) ?? []);
}

/** @throws UsageError for tables that cannot be copied from there */
export function available(
  at: LocalNode,
  names: readonly string[],
  there: readonly ReplicatedTable[],
): readonly string[] {
  const { job } = at;
  const local = new Set(there.filter((table) => table.isLocal).map((table) => table.name));
  const absent = names.filter((name) => !local.has(name));
  if (absent.length === 0) return names;
  if (job.flag("skipNonExisting")) {
    for (const name of absent) job.log.warn(`Table ${name} does not exist on provider`);
    return names.filter((name) => local.has(name));
  }
  for (const name of absent) {
    job.log.error(`Table ${name} does not exist on provider, need to switch to different provider`);
  }
  throw new UsageError("Problems, canceling operation", {
    hint: "--find-copy-node looks for a node upstream that has them.",
  });
}
