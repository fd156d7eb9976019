import { resolve } from "node:path";
import type { LeafAhead } from "../../cascade-admin.ts";
import { setConsumerCompleted } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { insideOn, type PlanContext, workerOf } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";
import { writeWholeFile } from "../whole-file.ts";
import { ownTick } from "./catch-up.ts";
import { stateOf } from "./consumer-position.ts";

/** A leaf that is ahead of the node that becomes the root; both paused. */
export interface AheadLeaf {
  readonly leaf: LiveMember;
  readonly taker: LiveMember;
  readonly application: LeafAhead;
}

/** What of a leaf is written to a file before the new root is promoted, and then comes anew from there. */
export function useAhead(context: PlanContext, ahead: AheadLeaf): PlanStep[] {
  const different = new Set<string>();
  return [setAsideAhead(context, ahead, different), takeBack(context, ahead, different)];
}

/** The file for what only the leaf has. Its tick tells it from that of another takeover, and is the same when this one is run again. */
export function aheadFile({ leaf: { nodeName, node } }: Pick<AheadLeaf, "leaf">): string {
  return `takeover-ahead.${nodeName.replaceAll("/", "%2F")}.${node.workerLastTick}.sql`;
}

/** Writes what a leaf has and the new root has not into a file.
 * @param different gets what differs */
function setAsideAhead(
  context: PlanContext,
  { leaf, taker, application }: AheadLeaf,
  different: Set<string>,
): PlanStep {
  const { admin } = context;
  const file = aheadFile({ leaf });
  return {
    name: "set-aside",
    node: leaf.nodeName,
    action: `compare it with "${taker.nodeName}", write what only it has to ${file}`,
    doneWhen: "it is not ahead any more, or the same run writes it again",
    undoneBy: null,
    isDone: () => isTakenBack(context, { leaf, taker }),
    run: async () => {
      const isWritten = await writeWholeFile(file, async (write) => {
        for (const name of await application.setAside(admin, leaf, taker, write)) different.add(name);
      });
      if (isWritten) admin.job.log.warn(`what only "${leaf.nodeName}" has is in ${resolve(file)}`);
      else admin.job.log.info(`"${leaf.nodeName}" has nothing that "${taker.nodeName}" has not`);
    },
  };
}

/** Takes the leaf back to the new root's position, and lets it get anew what differs: one transaction. As long as it is not done,
 * the step before is not either, so that what differs is known here. */
function takeBack(
  context: PlanContext,
  { leaf, taker, application }: AheadLeaf,
  different: ReadonlySet<string>,
): PlanStep {
  const { queueName, job } = context.admin;
  const { db, nodeName, node } = leaf;
  return {
    name: "take-back",
    node: nodeName,
    action: `go back to the tick of "${taker.nodeName}", and get anew what differs`,
    doneWhen: "its position is that tick",
    undoneBy: null,
    isDone: () => isTakenBack(context, { leaf, taker }),
    run: async () => {
      const tickId = await ownTick(context, taker);
      await db.transaction(async () => {
        const call = insideOn(context, nodeName);
        await setConsumerCompleted(db, call, queueName, node.workerName, tickId);
        await application.startAnew(db, queueName, different, job.log);
      });
    },
  };
}

async function isTakenBack(
  context: PlanContext,
  { leaf, taker }: Pick<AheadLeaf, "leaf" | "taker">,
): Promise<boolean> {
  const { completedTick } = await stateOf(context, workerOf(leaf));
  return completedTick <= (await ownTick(context, taker));
}
