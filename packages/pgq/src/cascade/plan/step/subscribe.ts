import { SkytoolsError } from "@skytools/skytools";
import { getConsumerInfo, registerConsumerAt, unregisterConsumer } from "../../../pgq-api.ts";
import {
  getQueueLocations,
  getSubscriberInfo,
  registerLocation,
  registerSubscriber,
  unregisterSubscriber,
} from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type ConsumerAt, insideOn, isWorker, type PlanContext, quietOn } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";
import { stateOf } from "./consumer-position.ts";

/** Registers a consumer on another provider, exactly where it stands: from then on that provider keeps what it needs. A node's
 * worker is registered together with the node's watermark; a stale registration is replaced. The consumer must be paused. */
export function subscribe(context: PlanContext, at: ConsumerAt, provider: LiveMember): PlanStep {
  const { admin } = context;
  const { queueName } = admin;
  const { member, consumerName } = at;
  const { db } = provider;
  const call = insideOn(context, provider.nodeName);

  /** In an open transaction of the provider. */
  async function registered(): Promise<{ readonly isKnown: boolean; readonly tick: bigint | null }> {
    const [position] = await getConsumerInfo(db, queueName, consumerName);
    if (!isWorker(at)) return { isKnown: position !== undefined, tick: position?.lastTick ?? null };
    const subscribers = await getSubscriberInfo(db, queueName);
    const entry = subscribers.find((subscriber) => subscriber.nodeName === member.nodeName);
    const isSame = entry?.workerName === consumerName && entry.watermark !== null;
    return { isKnown: entry !== undefined, tick: isSame ? (position?.lastTick ?? null) : null };
  }

  return {
    name: "subscribe",
    node: provider.nodeName,
    action: `register "${member.nodeName}" at the tick that it has finished`,
    doneWhen: "registered at that tick",
    undoneBy: "remove the registration, unless it is in use",
    isDone: async () => {
      const { completedTick } = await stateOf(context, at);
      const { tick } = await registered();
      await db.commit();
      return tick === completedTick;
    },
    run: async () => {
      const { completedTick } = await stateOf(context, at);
      await refuseMissingTick(context, provider, completedTick);
      await db.transaction(async () => {
        if (!isWorker(at)) {
          await registerConsumerAt(db, queueName, consumerName, completedTick);
          return;
        }
        await ensureLocation(context, provider, member);
        if ((await registered()).isKnown) await unregisterSubscriber(db, call, queueName, member.nodeName);
        await registerSubscriber(db, call, queueName, member.nodeName, consumerName, completedTick);
      });
    },
    undo: async () => {
      if ((await stateOf(context, at)).providerNode === provider.nodeName) return;
      await db.transaction(async () => {
        if (!(await registered()).isKnown) return;
        if (isWorker(at)) await unregisterSubscriber(db, call, queueName, member.nodeName);
        else await unregisterConsumer(db, queueName, consumerName);
      });
    },
  };
}

/** Makes a member known on another node, within that node's open transaction. Nothing is written where nothing is new: on a
 * root it would be an event for everybody. */
export async function ensureLocation(
  context: PlanContext,
  on: LiveMember,
  member: { readonly nodeName: string; readonly location: string },
): Promise<void> {
  const { queueName } = context.admin;
  const known = await getQueueLocations(on.db, queueName);
  const entry = known.find((each) => each.nodeName === member.nodeName);
  if (entry !== undefined && !entry.isDead && entry.location === member.location) return;
  const call = insideOn(context, on.nodeName);
  await registerLocation(on.db, call, queueName, member.nodeName, member.location, false);
}

async function refuseMissingTick(
  context: PlanContext,
  { db, nodeName }: LiveMember,
  tickId: bigint,
): Promise<void> {
  const isThere = await db.queryValue<boolean>(
    `select exists (select from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue
                     where q.queue_name = $1 and t.tick_id = $2::int8)`,
    [context.admin.queueName, tickId],
  );
  await db.commit();
  if (isThere === true) return;
  throw new SkytoolsError(
    "CASCADE_POSITION",
    `node "${nodeName}" does not hold tick ${tickId}: it has passed it and removed the events, or has not come so far`,
    { hint: "Choose another provider, or create the node anew." },
  );
}

/** Removes the registration of a consumer that reads elsewhere now, and with it what held the queue back for it. */
export function unsubscribe(
  context: PlanContext,
  { nodeName, consumerName, isNode }: { nodeName: string; consumerName: string; isNode: boolean },
  former: LiveMember,
): PlanStep {
  const { queueName } = context.admin;
  const { db } = former;
  return {
    name: "unsubscribe",
    node: former.nodeName,
    action: `remove the registration of "${isNode ? nodeName : consumerName}"`,
    doneWhen: "not registered",
    undoneBy: null,
    isDone: async () => {
      const subscribers = await getSubscriberInfo(db, queueName);
      const consumers = await getConsumerInfo(db, queueName, consumerName);
      await db.commit();
      if (!isNode) return consumers.length === 0;
      return subscribers.every((subscriber) => subscriber.nodeName !== nodeName);
    },
    run: async () => {
      if (isNode) {
        await unregisterSubscriber(db, quietOn(context, former.nodeName), queueName, nodeName);
      } else {
        await unregisterConsumer(db, queueName, consumerName);
        await db.commit();
      }
    },
  };
}
