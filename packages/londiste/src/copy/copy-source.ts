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
import type { HandlerRegistry } from "../handler/handler-registry.ts";
import { getTable, type ReplicatedTable } from "../londiste-api.ts";
import { anyCopyNode, findCopyNode, namedCopyNode } from "../table/copy-node.ts";
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
