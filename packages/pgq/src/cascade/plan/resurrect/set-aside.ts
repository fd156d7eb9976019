import { resolve } from "node:path";
import type { Database } from "@skytools/skytools";
import { getConsumerInfo, newestTick, registerConsumerAt } from "../../../pgq-api.ts";
import type { LostEventCounter } from "../../cascade-admin.ts";
import { deleteEventsAfter, getNodeInfo, setConsumerCompleted } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { insideOn } from "../plan-context.ts";
import { writeDumpFile } from "./dump-file.ts";
import { writeDumpNote } from "./dump-note.ts";
import { type LostEvent, lostEvents } from "./lost-events.ts";
import type { Resurrection } from "./resurrection.ts";

/** Writes the events that the new root does not have into the file, and notes what file that is. */
export function setAside(work: Resurrection): PlanStep {
  const { context, self, sharedTick, dumpFile, statistics } = work;
  const { job, hooks, queueName } = context.admin;
  return {
    name: "set-aside",
    node: self.nodeName,
    action: `write events after tick ${sharedTick} that the new root does not have to ${dumpFile}`,
    doneWhen: "they are removed here, or the same run writes them again",
    undoneBy: null,
    isDone: () => isQueueCut(work),
    run: async () => {
      const counter = hooks?.lostEventCounter?.();
      const file = await writeDumpFile(resolve(dumpFile), counted(lostEvents(work), counter));
      const call = insideOn(context, self.nodeName);
      await self.db.transaction(() => writeDumpNote(self.db, call, queueName, file));
      for (const [key, value] of counter?.statistics() ?? []) statistics.set(key, value);
      if (file.eventCount === 0) job.log.info("No batches found: there are no lost events");
      statistics.set("dumped_count", file.eventCount);
    },
  };
}

async function* counted(
  events: AsyncIterable<LostEvent>,
  counter: LostEventCounter | undefined,
): AsyncGenerator<LostEvent, void> {
  for await (const lost of events) {
    counter?.add(lost.event);
    yield lost;
  }
}

/** Removes what was set aside and takes the position back to the shared tick: one transaction. */
export function removeLost(work: Resurrection): PlanStep {
  const { context, self, sharedTick, statistics } = work;
  const { queueName } = context.admin;
  const { db, nodeName, node } = self;
  const call = insideOn(context, nodeName);
  return {
    name: "remove-lost",
    node: nodeName,
    action: `remove events and ticks after tick ${sharedTick}`,
    doneWhen: "queue and position end there",
    undoneBy: null,
    isDone: () => isQueueCut(work),
    run: () =>
      db.transaction(async () => {
        const { deletedEvents } = await deleteEventsAfter(db, call, queueName, sharedTick);
        await closeCutBatches(db, queueName, sharedTick);
        await setConsumerCompleted(db, call, queueName, node.workerName, sharedTick);
        statistics.set("deleted_count", deletedEvents);
      }),
  };
}

/** A reader that stands before the cut, in the middle of a batch that ends behind it, gets another batch. */
async function closeCutBatches(db: Database, queueName: string, sharedTick: bigint): Promise<void> {
  for (const { consumerName, lastTick, nextTick } of await getConsumerInfo(db, queueName)) {
    if (lastTick === null || nextTick === null || nextTick <= sharedTick) continue;
    await registerConsumerAt(db, queueName, consumerName, lastTick);
  }
}

/** Whether the lost events are removed already: a file is all that has them then. */
export async function isQueueCut({ context, self, sharedTick }: Resurrection): Promise<boolean> {
  const { queueName } = context.admin;
  const node = await getNodeInfo(self.db, queueName);
  const newest = await newestTick(self.db, queueName);
  await self.db.commit();
  return node?.nodeType === "branch" && newest?.tickId === sharedTick && node.workerLastTick === sharedTick;
}
