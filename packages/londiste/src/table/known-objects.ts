import { nodeOf } from "@skytools/pgq/cascade";
import type { Database } from "@skytools/skytools";
import {
  getSequenceList,
  getTableList,
  globalAddTables,
  globalRemoveSequence,
  globalRemoveTable,
  globalUpdateSequence,
  type ReplicatedSequence,
  type ReplicatedTable,
} from "../londiste-api.ts";
import { type LocalNode, openProvider } from "./local-node.ts";
import { siblingQueues } from "./merge-partners.ts";
import { isRegistered } from "./register-filter.ts";

/** Brings this node's list of the set's tables up to what its provider knows: what a new node has not seen in the queue yet.
 * Leaves the transaction open: a command that is refused afterwards changes nothing.
 * @returns the provider's tables
 * Source: spec/londiste.md 6.1 step 2 */
export async function syncTableList(at: LocalNode, provider: Database): Promise<ReplicatedTable[]> {
  const { local, queueName } = at;
  const there = await getTableList(provider, queueName);
  await provider.commit();
  if (at.node.nodeType === "root") return there;
  const { log } = at.job;
  const here = await getTableList(local, queueName);
  await addUnknownTables(at, here, there);
  const present = new Set(there.map((table) => table.name));
  for (const table of here) {
    if (present.has(table.name)) continue;
    log.info(`Table ${table.name} gone but exists on subscriber, removing`);
    await globalRemoveTable(local, { log, quiet: true, commit: false }, queueName, table.name);
  }
  return there;
}

/** Asks the providers of the other queues that --merge-all takes tables out of: what was added there a moment ago has not come
 * through the queue yet. Leaves the transaction open.
 * @throws SkytoolsError when one of them cannot be reached */
export async function learnSiblingTables(at: LocalNode): Promise<void> {
  const { job, local } = at;
  for (const queueName of await siblingQueues(local, at.queueName)) {
    const node = await nodeOf(local, queueName);
    if (node === undefined) continue;
    const sibling = { ...at, queueName, node };
    const provider = await openProvider(sibling, `provider of ${queueName}`);
    const there = await getTableList(provider, queueName);
    await provider.commit();
    await addUnknownTables(sibling, await getTableList(local, queueName), there);
    await job.databases.close(`provider of ${queueName}`);
  }
}

async function addUnknownTables(
  { job, local, queueName }: LocalNode,
  here: readonly ReplicatedTable[],
  there: readonly ReplicatedTable[],
): Promise<void> {
  const { log, config } = job;
  const known = new Set(here.map((table) => table.name));
  const unknown = there
    .map(({ name }) => name)
    .filter((name) => !known.has(name) && isRegistered(config, "tables", name));
  for (const name of unknown) log.info(`Table ${name} info missing from subscriber, adding`);
  await globalAddTables(local, { log, quiet: true, commit: false }, queueName, unknown);
}

/** The same for sequences, with their values; leaves the transaction open too. */
export async function syncSequenceList(at: LocalNode, provider: Database): Promise<ReplicatedSequence[]> {
  const { local, queueName } = at;
  const there = await getSequenceList(provider, queueName);
  await provider.commit();
  if (at.node.nodeType === "root") return there;
  const { log, config } = at.job;
  const here = await getSequenceList(local, queueName);
  const call = { log, quiet: true, commit: false };
  for (const sequence of there) {
    if (!isRegistered(config, "seqs", sequence.name)) continue;
    if (here.some((entry) => entry.name === sequence.name)) continue;
    log.info(`Sequence ${sequence.name} info missing from subscriber, adding`);
    await globalUpdateSequence(local, call, queueName, sequence.name, sequence.lastValue);
  }
  for (const sequence of here) {
    if (there.some((entry) => entry.name === sequence.name)) continue;
    log.info(`Sequence ${sequence.name} gone but exists on subscriber, removing`);
    await globalRemoveSequence(local, call, queueName, sequence.name);
  }
  return there;
}
