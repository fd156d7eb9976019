import { highestEventId, mirrorTick, newestTick } from "../../../pgq-api.ts";
import { getNodeInfo } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import type { PlanContext } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** Cuts the last batch of a branch whose worker died after storing its events and before the tick: its provider is dead, so the
 * worker cannot do it any more. The branch must be paused. */
export function completeTick(context: PlanContext, { db, nodeName }: LiveMember): PlanStep {
  const { queueName } = context.admin;
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
        const [{ now }] = (await db.query<{ now: string }>("select now()::text as now")) as [{ now: string }];
        await mirrorTick(db, queueName, position, now, highest ?? newest.eventSeq ?? 0n);
      }),
  };
}
