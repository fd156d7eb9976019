import { highestEventId, mirrorTick, newestTick } from "../../../pgq-api.ts";
import { getCompletedTick, getNodeInfo, storesTickTimes } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import type { PlanContext } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** Cuts the last batch of a branch whose worker died after storing its events and before the tick: its provider is dead, so the
 * worker cannot do it any more. The branch must be paused. */
export function completeTick(context: PlanContext, member: LiveMember): PlanStep {
  const { queueName } = context.admin;
  const { db, nodeName } = member;
  const read = async () => {
    const node = (await getNodeInfo(db, queueName))!;
    const newest = (await newestTick(db, queueName))!;
    return { position: node.workerLastTick, newest };
  };
  return {
    name: "complete-tick",
    node: nodeName,
    action: "cut the batch that its worker has stored, if it could not do so itself",
    doneWhen: "its queue ends at its position",
    undoneBy: null,
    isDone: async () => {
      const { position, newest } = await read();
      await db.commit();
      return newest.tickId >= position;
    },
    run: () =>
      db.transaction(async () => {
        const { position, newest } = await read();
        const highest = await highestEventId(db, queueName, 0n);
        const time = await timeOfCompleted(context, member);
        await mirrorTick(db, queueName, position, time, highest ?? newest.eventSeq ?? 0n);
      }),
  };
}

/** The time that the dead provider gave to the tick, so that whoever else has finished it knows it again; the time of now where the
 * branch's worker has stored none. */
async function timeOfCompleted(
  { admin: { queueName } }: PlanContext,
  { db, node }: LiveMember,
): Promise<string> {
  const completed = (await storesTickTimes(db))
    ? await getCompletedTick(db, queueName, node.workerName)
    : undefined;
  return completed?.tickTime ?? (await db.queryOne<{ now: string }>("select now()::text as now")).now;
}
