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

/** The file for what only the leaf has. */
export function aheadFile({ leaf }: Pick<AheadLeaf, "leaf">): string {
  return `takeover-ahead.${leaf.nodeName.replaceAll("/", "%2F")}.sql`;
}

/** Writes what a leaf has and the new root has not into a file. */
export function setAsideAhead(context: PlanContext, { leaf, taker, application }: AheadLeaf): PlanStep {
  const { admin } = context;
  const file = aheadFile({ leaf });
  return {
    name: "set-aside",
    node: leaf.nodeName,
    action: `write what it has and "${taker.nodeName}" has not to ${file}`,
    doneWhen: "it is not ahead any more, or the same run writes it again",
    undoneBy: null,
    isDone: () => isTakenBack(context, { leaf, taker }),
    run: async () => {
      const isWritten = await writeWholeFile(file, (write) =>
        application.setAside(admin, leaf, taker, write),
      );
      if (isWritten) admin.job.log.warn(`what only "${leaf.nodeName}" has is in ${resolve(file)}`);
      else admin.job.log.info(`"${leaf.nodeName}" has nothing that "${taker.nodeName}" has not`);
    },
  };
}

/** Takes the leaf back to the new root's position, and lets it get its data anew: one transaction. */
export function takeBack(context: PlanContext, { leaf, taker, application }: AheadLeaf): PlanStep {
  const { queueName, job } = context.admin;
  const { db, nodeName, node } = leaf;
  return {
    name: "take-back",
    node: nodeName,
    action: `go back to the tick of "${taker.nodeName}", and get the data anew`,
    doneWhen: "its position is that tick",
    undoneBy: null,
    isDone: () => isTakenBack(context, { leaf, taker }),
    run: async () => {
      const tickId = await ownTick(context, taker);
      await db.transaction(async () => {
        const call = insideOn(context, nodeName);
        await setConsumerCompleted(db, call, queueName, node.workerName, tickId);
        await application.startAnew(db, queueName, job.log);
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
