import { type Database, TableStructure } from "@skytools/skytools";
import { getSequenceList, localAddSequence, sequenceExists } from "../londiste-api.ts";
import { syncSequenceList } from "./known-objects.ts";
import type { LocalNode } from "./local-node.ts";

/** Lets the sequences of a table's serial and identity columns follow too: a node that becomes the root must not hand out keys
 * that are taken. Within the open transaction.
 * @param destination the local table */
export async function addOwnedSequences(
  at: LocalNode,
  provider: Database,
  destination: string,
): Promise<void> {
  const { job, local, queueName, node } = at;
  const table = await TableStructure.find(local, destination);
  const owned = table?.ownedSequences ?? [];
  if (owned.length === 0) return;
  if (node.nodeType !== "root") await syncSequenceList(at, provider);
  const known = new Map(
    (await getSequenceList(local, queueName)).map((sequence) => [sequence.name, sequence]),
  );
  for (const { name, column } of owned) {
    const sequence = known.get(name);
    if (sequence?.isLocal === true || !(await sequenceExists(local, name))) continue;
    if (node.nodeType !== "root" && sequence === undefined) {
      job.log.warn(`sequence ${name} of ${destination}.${column} is not in the set: it does not follow here`);
      continue;
    }
    await localAddSequence(local, { log: job.log, commit: false }, queueName, name);
  }
}
