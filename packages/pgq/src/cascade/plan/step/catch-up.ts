import { newestTick } from "../../../pgq-api.ts";
import { getNodeInfo, setConsumerPaused } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type PlanContext, quietOn } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** Waits until a node has everything up to a tick, in its tables and, on a branch, as a tick of its own queue. A node that an
 * interrupted command has left paused is resumed for that.
 * @param upTo the tick, read when the step begins
 * @param of what that tick is, for a person */
export function catchUp(
  context: PlanContext,
  member: LiveMember,
  upTo: () => Promise<bigint>,
  of: string,
): PlanStep {
  const { admin, patience } = context;
  const { db, nodeName } = member;
  let reached = 0n;
  let wanted = 0n;
  const hasReached = async () => {
    reached = await ownTick(context, member);
    return reached >= wanted;
  };
  return {
    name: "catch-up",
    node: nodeName,
    action: `wait until it has reached ${of}`,
    doneWhen: "its tick is that one or later",
    undoneBy: null,
    isWait: true,
    isDone: async () => {
      wanted = await upTo();
      return hasReached();
    },
    run: async () => {
      const node = await getNodeInfo(db, admin.queueName);
      await db.commit();
      if (node?.isWorkerPaused === true) {
        await setConsumerPaused(db, quietOn(context, nodeName), admin.queueName, node.workerName, false);
      }
      await patience.until(hasReached, () => ({
        message: `node "${nodeName}" has reached tick ${reached} of ${wanted}`,
        hint: `Look at the log of its worker, and at that of the ticker; --timeout gives it longer.`,
      }));
    },
  };
}

/** How far a node has come: the older of its position and, where it has a queue, that queue's newest tick, which differ between
 * the two transactions of a branch's batch. Leaves no transaction open. */
export async function ownTick({ admin }: PlanContext, { db }: LiveMember): Promise<bigint> {
  const node = await getNodeInfo(db, admin.queueName);
  const newest = await newestTick(db, admin.queueName);
  await db.commit();
  const position = node?.workerLastTick ?? 0n;
  if (node?.nodeType === "leaf" || newest === undefined) return position;
  return newest.tickId < position ? newest.tickId : position;
}
