import { newestTick, registerConsumer, registerConsumerAt } from "@skytools/pgq";
import {
  type ConsumerState,
  getConsumerState,
  getQueueLocations,
  isRefusal,
  nodeOf,
  registerCascadedConsumer,
} from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";
import type { TableHandler } from "../handler/handler.ts";
import type { HandlerRegistry } from "../handler/handler-registry.ts";
import { getTable, getTableList, type ReplicatedTable } from "../londiste-api.ts";
import { anyCopyNode, findCopyNode, namedCopyNode, partialSource } from "../table/copy-node.ts";
import { scriptsAhead } from "./scripts-ahead.ts";

const providerPollMs = 1000;
const workerPollMs = 200;

/** Whose copy it is. */
export interface CopyPlace {
  readonly job: Job;
  readonly queueName: string;
  readonly workerName: string;
  /** of the copy */
  readonly consumerName: string;
}

/** The node that a table is copied from: the provider, unless it is to be copied from elsewhere. Its events come from there too
 * until the worker takes over: ticks have the same ids everywhere, while the snapshot of the rows means something only there.
 * Source: spec/londiste.md 8.5 */
export async function copySourceNode(
  place: CopyPlace,
  target: Database,
  table: ReplicatedTable,
  registry: HandlerRegistry,
): Promise<{ readonly name: string; readonly location: string }> {
  const { job, queueName } = place;
  const worker = await workerState(place, target);
  const provider = { name: worker.providerNode, location: worker.providerLocation };
  const wanted = table.attributes.get("copy_node") ?? "";
  if (wanted === "") return provider;
  if (wanted === anyCopyNode) {
    return findCopyNode({ job, registry, queueName, start: provider, tables: [table.name] });
  }
  const members = await getQueueLocations(target, queueName);
  if (members.some(({ nodeName, isDead }) => isDead && nodeName === wanted)) {
    job.log.warn(`${table.name}: node "${wanted}" is dead, the table is copied from the provider`);
    await target.commit();
    return provider;
  }
  const local = await nodeOf(target, queueName);
  const found = await namedCopyNode(job, target, queueName, wanted, local?.nodeName ?? "");
  await target.commit();
  return found;
}

/** A copy source may have the table, and not its rows: it applies only part of them, or something else.
 * @param there the table as it is registered on that node
 * @param handler of the table here
 * @returns the nearest node above it that has them; undefined where it has them itself
 * @throws SkytoolsError COPY when that node was asked for by name, or none has them */
export async function completeSourceNode(
  { job, queueName }: CopyPlace,
  source: Database,
  registry: HandlerRegistry,
  { there, here, handler }: { there: ReplicatedTable; here: ReplicatedTable; handler: TableHandler },
): Promise<{ readonly name: string; readonly location: string } | undefined> {
  const node = await nodeOf(source, queueName);
  const tables = await getTableList(source, queueName);
  await source.rollback();
  if (node === undefined || handler.copiesRows === false) return undefined;
  const why = partialSource(job, registry, node.nodeType, tables, there);
  if (why === undefined) return undefined;
  if ((here.attributes.get("copy_node") ?? "") === node.nodeName || node.nodeType === "root") {
    throw new SkytoolsError("COPY", `table ${here.name} cannot be copied from "${node.nodeName}": ${why}`, {
      retry: "later",
      hint: "Use resync with --find-copy-node, or with --copy-node and a node that has them.",
    });
  }
  job.log.info(`${here.name} is not copied from "${node.nodeName}": ${why}`);
  const start = { name: node.providerNode, location: node.providerLocation };
  return findCopyNode({ job, registry, queueName, start, tables: [here.name] });
}

async function workerState({ queueName, workerName }: CopyPlace, target: Database): Promise<ConsumerState> {
  const state = await getConsumerState(target, queueName, workerName);
  await target.commit();
  if (!isRefusal(state)) return state;
  throw new SkytoolsError("CASCADE_NODE", `${state.note} (on ${target.label})`);
}

/** What a script has done to the rows must not be done to them again: see scriptsAhead().
 * @param source in the transaction whose snapshot the rows are read in */
export async function waitForScripts(
  place: CopyPlace,
  source: Database,
  target: Database,
  table: string,
): Promise<void> {
  const { job, queueName } = place;
  let told = "";
  for (;;) {
    const { completedTick } = await workerState(place, target);
    const scripts = (await scriptsAhead(source, queueName, completedTick)).join(", ");
    if (scripts === "") return;
    if (scripts !== told) {
      job.log.info(`${table}: waiting until the worker has run what the rows contain: ${scripts}`);
    }
    told = scripts;
    await job.sleep(workerPollMs);
    if (job.isStopping) throw new SkytoolsError("COPY", "stopped while waiting for scripts");
  }
}

/** The table must be complete where it is copied from.
 * @returns the table as it is there */
export async function waitForSourceTable(
  { job, queueName }: CopyPlace,
  source: Database,
  name: string,
): Promise<ReplicatedTable> {
  let hasWarned = false;
  for (;;) {
    const table = await getTable(source, queueName, name);
    await source.rollback();
    if (table === undefined || !table.isLocal) {
      throw new SkytoolsError("COPY", `table ${name} not available on provider (${source.label})`, {
        retry: "later",
      });
    }
    if (table.state.kind === "ok") return table;
    if (!hasWarned) job.log.warn(`table ${name} not in sync yet on provider, waiting`);
    hasWarned = true;
    await job.sleep(providerPollMs);
    if (job.isStopping) throw new SkytoolsError("COPY", "stopped while waiting for the provider");
  }
}

/** Begins at the newest tick, also after an attempt that failed: the rows come anew, so do the events. */
export async function registerCopy(
  { job, queueName, consumerName }: CopyPlace,
  source: Database,
  target: Database,
  sourceNode: string,
): Promise<void> {
  await registerConsumer(source, queueName, consumerName);
  await source.commit();
  const tick = await newestTick(source, queueName);
  if (tick === undefined) {
    throw new SkytoolsError("COPY", `queue "${queueName}" has no tick on ${source.label}`, {
      retry: "later",
      hint: "Is pgqd running for that database?",
    });
  }
  await registerConsumerAt(source, queueName, consumerName, tick.tickId);
  await source.commit();
  await registerCascadedConsumer(
    target,
    { log: job.log, quiet: true },
    queueName,
    consumerName,
    sourceNode,
    tick.tickId,
  );
}
