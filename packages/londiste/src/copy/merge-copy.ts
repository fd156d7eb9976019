import { lockConsumerState, nodeOf } from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { GrowingPause, SkytoolsError } from "@skytools/skytools";
import { getTable, type ReplicatedTable } from "../londiste-api.ts";
import { copyConsumerName } from "../names.ts";
import { mergePartners } from "../table/merge-partners.ts";
import type { TableSharers } from "./table-copy.ts";

const defaultParallelCopies = 8;

/* Several tables of a queue, and several queues, may copy into one local table. The first of them empties it and copies within one transaction, under a lock;
 * the others wait for that, and then add their rows side by side, with the indexes in place. Nobody empties a table that
 * has rows out of another one. A copy in several transactions, which would have to empty the table when it starts again, has it
 * alone until it is through. Source: spec/londiste.md 8.4 */

/** Waits until the copy of a table may begin.
 * @returns the table as it is then; undefined when it is not replicated here any more */
export async function waitForTurn(
  job: Job,
  target: Database,
  queueName: string,
  name: string,
): Promise<ReplicatedTable | undefined> {
  const pause = new GrowingPause(job);
  let told: string | undefined;
  for (;;) {
    const table = await getTable(target, queueName, name);
    await target.commit();
    if (table === undefined || !table.isLocal) return undefined;
    const reason = whyNotNow(table) ?? (await whoHasIt(target, queueName, table));
    if (reason === undefined) {
      await waitForBatches(target, queueName, table);
      return table;
    }
    if (reason !== told) job.log.info(`${name}: ${reason}`);
    told = reason;
    await pause.take();
    if (job.isStopping) throw new SkytoolsError("COPY", `stopped while ${reason}`);
  }
}

async function whoHasIt(
  target: Database,
  queueName: string,
  table: ReplicatedTable,
): Promise<string | undefined> {
  const partners = await mergePartners(target, queueName, table);
  await target.commit();
  const loading = partners.find((partner) => partner.isLoading);
  return loading && `waiting for the copy out of queue ${loading.queueName}`;
}

/** Whoever applies a table looks at its state when a batch begins: another one that fills the local table may be in the middle of a batch
 * from before it was sent back. What that writes has to be there before the local table is emptied. */
async function waitForBatches(target: Database, queueName: string, table: ReplicatedTable): Promise<void> {
  for (const partner of await mergePartners(target, queueName, table)) {
    const node = await nodeOf(target, partner.queueName);
    if (node === undefined) continue;
    const copy = copyConsumerName(node.workerName, partner.name);
    // The worker of this queue has begun the copy, between two batches.
    for (const consumer of partner.queueName === queueName ? [copy] : [node.workerName, copy]) {
      await lockConsumerState(target, partner.queueName, consumer);
      await target.rollback();
    }
  }
  await target.rollback();
}

function whyNotNow({ copyRole, copyPosition, attributes }: ReplicatedTable): string | undefined {
  if (copyRole === "wait-copy") return "waiting for first partition to initialize copy";
  const limit = Number(attributes.get("max_parallel_copy") ?? defaultParallelCopies);
  if (copyPosition > 0 && copyPosition >= limit) return `number of max parallel copies (${limit}) reached`;
  return undefined;
}

/** What others do with a local table.
 * @param table the set name of the one that asks, and the local table */
export function tableSharers(
  target: Database,
  queueName: string,
  table: { readonly name: string; readonly destination: string },
): TableSharers {
  const partners = () => mergePartners(target, queueName, table);
  return {
    exist: async () => (await partners()).length > 0,
    haveRows: async () => {
      const all = await partners();
      const loading = all.find((partner) => partner.isLoading);
      if (loading !== undefined) {
        const message = `table "${table.destination}" is being filled out of queue ${loading.queueName} (${target.label})`;
        throw new SkytoolsError("COPY", message, { retry: "later" });
      }
      return all.some(({ storedState }) => storedState !== null && storedState !== "in-copy");
    },
  };
}
