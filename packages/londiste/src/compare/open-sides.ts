import { type Database, mergeConnectString, quoteLiteral, UsageError } from "@skytools/skytools";
import { HandlerRegistry } from "../handler/handler-registry.ts";
import { getTableList } from "../londiste-api.ts";
import { formatSettings } from "../replication-session.ts";
import { findCopyNode } from "../table/copy-node.ts";
import type { LocalNode } from "../table/local-node.ts";
import { namesAskedFor } from "../table/select-names.ts";
import type { AlignInput } from "./aligned-sides.ts";

/** Settings under which both servers write values alike. */
export const compareSettings = `set timezone = 'UTC'; set lock_timeout = ${quoteLiteral("10s")}; set statement_timeout = 0; set row_security = off; set jit = off`;

/** @throws UsageError on a root: it has nobody to compare with */
export function refuseRoot(at: LocalNode, what: string): void {
  if (at.node.nodeType !== "root") return;
  throw new UsageError(`node "${at.node.nodeName}" is the root: ${what} on another node`);
}

/** What comparing any table needs. */
export async function comparison(at: LocalNode): Promise<Omit<AlignInput, "source" | "table">> {
  const { job, queueName, workerName } = at;
  return {
    job,
    queueName,
    workerName,
    registry: await HandlerRegistry.load(job.config),
    target: await openSide(at, "compare_target", job.config.get("db")),
    patienceMs: job.flag("force") ? Number.POSITIVE_INFINITY : job.config.getFloat("lock_timeout") * 1000,
  };
}

/** A session that reads one side in a snapshot. */
export async function openSide(
  { job }: Pick<LocalNode, "job">,
  key: string,
  connstr: string,
): Promise<Database> {
  return job.databases.get(key, {
    connstr,
    isolation: "repeatable read",
    onConnect: async (db) => {
      await db.execute(`${formatSettings}; ${compareSettings}`);
      await db.commit();
    },
  });
}

/** The node that a table is compared with: the provider, or the nearest one upstream that has the table. */
export async function openSource(
  at: LocalNode,
  registry: HandlerRegistry,
  table: string,
  /** distinguishes sessions */
  purpose = "compare",
): Promise<Database> {
  const { job, queueName, node } = at;
  const extra = job.config.getOr("remote_extra_connstr", "");
  const provider = await openSide(at, `${purpose}_source`, mergeConnectString(node.providerLocation, extra));
  const tables = await getTableList(provider, queueName);
  await provider.rollback();
  if (tables.some((entry) => entry.name === table && entry.isLocal)) return provider;
  if (!tables.some((entry) => entry.name === table)) return provider;
  const start = { name: node.providerNode, location: node.providerLocation };
  const found = await findCopyNode({ job, registry, queueName, start, tables: [table] });
  job.log.info(`${table}: Using node ${found.name} as provider`);
  return openSide(at, `${purpose}_source.${found.name}`, mergeConnectString(found.location, extra));
}

/** Names as given and what globs match, or all tables that are replicated here. */
export async function namesToCompare({ job, local, queueName }: LocalNode): Promise<string[]> {
  const tables = await getTableList(local, queueName);
  await local.commit();
  return namesAskedFor(
    job.args,
    tables.filter((table) => table.isLocal).map((table) => table.name),
  );
}
