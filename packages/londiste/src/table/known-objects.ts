import type { Database } from "@skytools/skytools";
import {
  getSequenceList,
  getTableList,
  globalAddTable,
  globalRemoveSequence,
  globalRemoveTable,
  globalUpdateSequence,
  type ReplicatedSequence,
  type ReplicatedTable,
} from "../londiste-api.ts";
import type { LocalNode } from "./local-node.ts";
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
  const { log, config } = at.job;
  const here = await getTableList(local, queueName);
  const call = { log, quiet: true, commit: false };
  for (const table of there) {
    if (!isRegistered(config, "tables", table.name)) continue;
    if (here.some((entry) => entry.name === table.name)) continue;
    log.info(`Table ${table.name} info missing from subscriber, adding`);
    await globalAddTable(local, call, queueName, table.name);
  }
  for (const table of here) {
    if (there.some((entry) => entry.name === table.name)) continue;
    log.info(`Table ${table.name} gone but exists on subscriber, removing`);
    await globalRemoveTable(local, call, queueName, table.name);
  }
  return there;
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
