import type { Database } from "@skytools/skytools";
import { getConsumerInfo, newestTick, registerConsumerAt, unregisterConsumer } from "../../../pgq-api.ts";
import { insertEvents } from "../../../producer.ts";
import type { LostEventCounter } from "../../cascade-admin.ts";
import {
  deleteEventsAfter,
  demoteRoot,
  getNodeInfo,
  getQueueLocations,
  getSubscriberInfo,
  registerLocation,
  registerSubscriber,
  setConsumerCompleted,
  setConsumerPaused,
  setGlobalWatermark,
  unregisterSubscriber,
} from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { insideOn } from "../plan-context.ts";
import { ensureLocation } from "../step/subscribe.ts";
import { readDumpFile, writeDumpFile } from "./dump-file.ts";
import { type LostEvent, lostEvents } from "./lost-events.ts";
import type { Resurrection } from "./resurrection.ts";

/** Nobody may read on from what is about to be set aside. Consumers whose name begins with a dot are the cascade's own.
 * @param beyond only those that have come farther than this tick; default: all */
export function dropReaders({ context, self }: Resurrection, beyond = -1n): PlanStep {
  const { queueName } = context.admin;
  const { db, nodeName } = self;
  const readers = async () => {
    const subscribers = await getSubscriberInfo(db, queueName);
    const consumers = await getConsumerInfo(db, queueName);
    const own = new Set(subscribers.map(({ workerName }) => workerName));
    const farther = new Set(
      consumers.filter(({ lastTick }) => (lastTick ?? 0n) > beyond).map(({ consumerName }) => consumerName),
    );
    return {
      subscribers: subscribers.filter(({ workerName }) => farther.has(workerName)),
      consumers: [...farther].filter((name) => !name.startsWith(".") && !own.has(name)),
    };
  };
  return {
    name: "drop-readers",
    node: nodeName,
    action: `forget the old subscribers and consumers${beyond < 0n ? "" : ` that are beyond tick ${beyond}`}`,
    doneWhen: `the queue has none${beyond < 0n ? "" : " of these"}`,
    undoneBy: null,
    isDone: async () => {
      const { subscribers, consumers } = await readers();
      await db.commit();
      return subscribers.length + consumers.length === 0;
    },
    run: () =>
      db.transaction(async () => {
        const { subscribers, consumers } = await readers();
        const call = insideOn(context, nodeName);
        for (const subscriber of subscribers) {
          await unregisterSubscriber(db, call, queueName, subscriber.nodeName);
        }
        for (const name of consumers) await unregisterConsumer(db, queueName, name);
      }),
  };
}

/** The old root becomes a paused branch: one transaction, so that its worker never runs before its position is right. */
export function becomePausedBranch({ context, self, provider }: Resurrection): PlanStep {
  const { queueName } = context.admin;
  const { db, nodeName, node } = self;
  const call = insideOn(context, nodeName);
  return {
    name: "become-paused-branch",
    node: nodeName,
    action: `become a paused branch of "${provider.nodeName}"`,
    doneWhen: "it is a paused branch",
    undoneBy: null,
    isDone: async () => {
      const now = await getNodeInfo(db, queueName);
      await db.commit();
      return now?.nodeType !== "root" && now?.isWorkerPaused === true;
    },
    run: () =>
      db.transaction(async () => {
        const now = await getNodeInfo(db, queueName);
        if (now?.nodeType === "root") await demoteRoot(db, call, queueName, 3, provider.nodeName);
        await ensureLocation(context, self, provider);
        await setConsumerPaused(db, call, queueName, node.workerName, true);
      }),
  };
}

/** Writes the events that the new root does not have into the file. */
export function setAside(work: Resurrection): PlanStep {
  const { self, sharedTick, dumpFile, statistics } = work;
  return {
    name: "set-aside",
    node: self.nodeName,
    action: `write events after tick ${sharedTick} that the new root does not have to ${dumpFile}`,
    doneWhen: "they are removed here, or the same run writes them again",
    undoneBy: null,
    isDone: () => isQueueCut(work),
    run: async () => {
      const counter = work.context.admin.hooks?.lostEventCounter?.();
      const count = await writeDumpFile(dumpFile, counted(lostEvents(work), counter));
      for (const [key, value] of counter?.statistics() ?? []) statistics.set(key, value);
      if (count === 0) work.context.admin.job.log.info("No batches found: there are no lost events");
      statistics.set("dumped_count", count);
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

async function isQueueCut({ context, self, sharedTick }: Resurrection): Promise<boolean> {
  const { queueName } = context.admin;
  const node = await getNodeInfo(self.db, queueName);
  const newest = await newestTick(self.db, queueName);
  await self.db.commit();
  return node?.nodeType === "branch" && newest?.tickId === sharedTick && node.workerLastTick === sharedTick;
}

/** The gravestone becomes a subscription, the node is alive again, and what is to be merged goes into the queue: one transaction
 * on the node that has the gravestone, so that none of it happens twice. */
export function replaceGravestone(work: Resurrection): PlanStep {
  const { context, self, provider, sharedTick, dumpFile, isMerging, statistics } = work;
  const { queueName } = context.admin;
  const { db, nodeName } = provider;
  const call = insideOn(context, nodeName);
  return {
    name: "replace-gravestone",
    node: nodeName,
    action: `take "${self.nodeName}" back as a living subscriber at tick ${sharedTick}${isMerging ? ", with its lost events as new ones" : ""}`,
    doneWhen: "its worker is registered",
    undoneBy: null,
    isDone: async () => {
      const subscribers = await getSubscriberInfo(db, queueName);
      await db.commit();
      return subscribers.some(
        (each) => each.nodeName === self.nodeName && each.workerName === self.node.workerName,
      );
    },
    run: () =>
      db.transaction(async () => {
        await unregisterSubscriber(db, call, queueName, self.nodeName);
        await registerLocation(db, call, queueName, self.nodeName, self.location, false);
        await registerSubscriber(db, call, queueName, self.nodeName, self.node.workerName, sharedTick);
        if (isMerging) statistics.set("merged_count", await mergeLost(work, dumpFile));
      }),
  };
}

async function mergeLost({ context, provider }: Resurrection, dumpFile: string): Promise<bigint> {
  async function* newEvents() {
    for await (const lost of readDumpFile(dumpFile)) {
      // what the cascade itself has said belongs to another time
      if (lost.ev_type === null || lost.ev_type.startsWith("pgq.")) continue;
      const { ev_type: type, ev_data: data, ev_time: time } = lost;
      yield {
        type,
        data,
        time,
        extra1: lost.ev_extra1,
        extra2: lost.ev_extra2,
        extra3: lost.ev_extra3,
        extra4: lost.ev_extra4,
      };
    }
  }
  return insertEvents(provider.db, context.admin.queueName, newEvents());
}

/** The node learns what has changed in the set while it was away. */
export function learnMembers({
  context,
  self,
  provider,
}: Pick<Resurrection, "context" | "self" | "provider">): PlanStep {
  const { queueName } = context.admin;
  const { db, nodeName } = self;
  const call = insideOn(context, nodeName);
  const missing = async () => {
    const there = await getQueueLocations(provider.db, queueName);
    await provider.db.commit();
    const here = await getQueueLocations(db, queueName);
    return there.filter(
      (member) =>
        member.nodeName !== nodeName &&
        !here.some(
          (each) =>
            each.nodeName === member.nodeName &&
            each.location === member.location &&
            each.isDead === member.isDead,
        ),
    );
  };
  return {
    name: "learn-members",
    node: nodeName,
    action: `take over the member list and the global watermark of "${provider.nodeName}"`,
    doneWhen: "the lists are the same",
    undoneBy: null,
    isDone: async () => {
      const absent = await missing();
      await db.commit();
      return absent.length === 0;
    },
    run: () =>
      db.transaction(async () => {
        for (const { nodeName: name, location, isDead } of await missing()) {
          await registerLocation(db, call, queueName, name, location, isDead);
        }
        const { globalWatermark } = (await getNodeInfo(provider.db, queueName))!;
        await provider.db.commit();
        if (globalWatermark !== null) await setGlobalWatermark(db, call, queueName, globalWatermark);
      }),
  };
}
