import { getConsumerInfo, unregisterConsumer } from "../../../pgq-api.ts";
import { insertEvents } from "../../../producer.ts";
import {
  demoteRoot,
  getNodeInfo,
  getQueueLocations,
  getSubscriberInfo,
  registerLocation,
  registerSubscriber,
  setConsumerPaused,
  setGlobalWatermark,
  unregisterSubscriber,
} from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { insideOn } from "../plan-context.ts";
import { ensureLocation } from "../step/subscribe.ts";
import { readDumpNote, writeDumpNote } from "./dump-note.ts";
import { readDumpFile } from "./read-dump-file.ts";
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

async function mergeLost({ context, self, provider }: Resurrection, dumpFile: string): Promise<bigint> {
  const { queueName } = context.admin;
  const expected = await readDumpNote(self.db, queueName);
  await self.db.commit();
  async function* newEvents() {
    for await (const lost of readDumpFile(dumpFile, expected)) {
      // what the cascade itself has said belongs to another time
      if (lost.ev_type?.startsWith("pgq.") === true) continue;
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
  return insertEvents(provider.db, queueName, newEvents());
}

/** The node learns what has changed in the set while it was away, and is as any other from then on. */
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
      const note = await readDumpNote(db, queueName);
      await db.commit();
      return absent.length === 0 && note === undefined;
    },
    run: () =>
      db.transaction(async () => {
        for (const { nodeName: name, location, isDead } of await missing()) {
          await registerLocation(db, call, queueName, name, location, isDead);
        }
        const { globalWatermark } = (await getNodeInfo(provider.db, queueName))!;
        await provider.db.commit();
        if (globalWatermark !== null) await setGlobalWatermark(db, call, queueName, globalWatermark);
        if ((await readDumpNote(db, queueName)) !== undefined)
          await writeDumpNote(db, call, queueName, undefined);
      }),
  };
}
