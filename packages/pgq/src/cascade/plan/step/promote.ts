import { type Database, SkytoolsError } from "@skytools/skytools";
import { newestTick } from "../../../pgq-api.ts";
import type { NodeLocation } from "../../node-info.ts";
import {
  getNodeInfo,
  getSubscriberInfo,
  promoteBranch,
  registerLocation,
  registerSubscriber,
  setConsumerPaused,
  unregisterSubscriber,
} from "../../pgq-node-api.ts";
import { adoptTickerSettings } from "../../ticker-settings.ts";
import type { PlanStep } from "../plan.ts";
import { insideOn, type PlanContext } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";
import { ownTick } from "./catch-up.ts";
import { ensureLocation } from "./subscribe.ts";

/** How the former root is remembered on the new one. */
export interface FormerRoot extends NodeLocation {
  /** its worker; `NAME.gravestone` for one that is dead */
  readonly consumerName: string;
  /** the newest tick that any node has seen of it */
  readonly lastKnownTick: bigint;
  /** of one that is alive */
  readonly db?: Database;
}

/** Tick ids that nobody uses between what is known of a dead root and the first tick of the new one: what a dead root may have
 * cut unseen can then never be mistaken for a tick of the new root. */
const tickGap = 1000n;

/** Makes a paused branch the root, with the former root as its subscriber, and lets it go on: one transaction, so that there is
 * no moment in which the set has lost a node. */
export function promote(context: PlanContext, member: LiveMember, former: FormerRoot): PlanStep {
  const { queueName } = context.admin;
  const { db, nodeName } = member;
  const call = insideOn(context, nodeName);
  return {
    name: "promote",
    node: nodeName,
    action: `become the root, with "${former.nodeName}" as subscriber "${former.consumerName}"`,
    doneWhen: "its type is root",
    undoneBy: null,
    isPointOfNoReturn: true,
    isDone: async () => {
      const node = await getNodeInfo(db, queueName);
      await db.commit();
      return node?.nodeType === "root";
    },
    run: async () => {
      const node = (await getNodeInfo(db, queueName))!;
      const newest = (await newestTick(db, queueName))!.tickId;
      await db.commit();
      if ((await ownTick(context, member)) !== node.workerLastTick) {
        throw new SkytoolsError(
          "CASCADE_POSITION",
          `node "${nodeName}" has finished tick ${node.workerLastTick}, its queue ends at ${newest}`,
        );
      }
      if (former.db !== undefined) await takeTickerSettings(context, former.db, db);
      await db.transaction(async () => {
        await promoteBranch(db, call, queueName);
        if (former.isDead) await leaveGap(context, member, former.lastKnownTick);
        if (former.isDead) await registerLocation(db, call, queueName, former.nodeName, null, true);
        else await ensureLocation(context, member, former);
        const subscribers = await getSubscriberInfo(db, queueName);
        if (subscribers.some((subscriber) => subscriber.nodeName === former.nodeName)) {
          await unregisterSubscriber(db, call, queueName, former.nodeName);
        }
        await registerSubscriber(db, call, queueName, former.nodeName, former.consumerName, newest);
        await setConsumerPaused(db, call, queueName, node.workerName, false);
      });
    },
  };
}

/** The former root writes no more by now: whatever happens to it, there must be a new one. */
async function takeTickerSettings(
  { admin: { job, queueName } }: PlanContext,
  former: Database,
  db: Database,
): Promise<void> {
  try {
    await adoptTickerSettings(former, db, queueName);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    job.log.warn(`the ticker settings of ${former.label} are not taken over: ${reason}`);
  }
}

async function leaveGap(context: PlanContext, { db }: LiveMember, lastKnownTick: bigint): Promise<void> {
  await db.query("select pgq.seq_setval(queue_tick_seq, $2::int8) from pgq.queue where queue_name = $1", [
    context.admin.queueName,
    lastKnownTick + tickGap,
  ]);
}
