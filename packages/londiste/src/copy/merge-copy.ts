import type { Database, Job } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";
import { getTableList, type ReplicatedTable } from "../londiste-api.ts";
import { mergePartners } from "../table/merge-partners.ts";

const pollMs = 500;
const defaultParallelCopies = 8;

/* Several queues may copy into one local table. The first of them empties it and copies within one transaction, under a lock;
 * the others wait for that, and then add their rows side by side, with the indexes in place. Nobody empties a table that
 * has rows out of another queue. Source: spec/londiste.md 8.4 */

/** Waits until the copy of a table may begin.
 * @returns the table as it is then; undefined when it is not replicated here any more */
export async function waitForTurn(
  job: Job,
  target: Database,
  queueName: string,
  name: string,
): Promise<ReplicatedTable | undefined> {
  let told: string | undefined;
  for (;;) {
    const table = (await getTableList(target, queueName)).find((entry) => entry.name === name);
    await target.commit();
    if (table === undefined || !table.isLocal) return undefined;
    const reason = whyNotNow(table);
    if (reason === undefined) return table;
    if (reason !== told) job.log.info(`${name}: ${reason}`);
    told = reason;
    await job.sleep(pollMs);
    if (job.isStopping) throw new SkytoolsError("COPY", `stopped while ${reason}`);
  }
}

function whyNotNow({ copyRole, copyPosition, attributes }: ReplicatedTable): string | undefined {
  if (copyRole === "wait-copy") return "waiting for first partition to initialize copy";
  const limit = Number(attributes.get("max_parallel_copy") ?? defaultParallelCopies);
  if (copyPosition > 0 && copyPosition >= limit) return `number of max parallel copies (${limit}) reached`;
  return undefined;
}

/** True when the local table has rows out of another queue already. Asked again behind the lock on the table. */
export async function hasRowsOfOthers(
  target: Database,
  queueName: string,
  destination: string,
): Promise<boolean> {
  const partners = await mergePartners(target, queueName, destination);
  return partners.some(({ storedState }) => storedState !== null && storedState !== "in-copy");
}
