import { getCascadedConsumers, getNodeInfo } from "../pgq-node-api.ts";
import type { Finding, PlanStep } from "./plan.ts";
import { type PlanContext, workerOf } from "./plan-context.ts";
import type { LiveMember } from "./set-state.ts";
import { catchUp } from "./step/catch-up.ts";
import { stateOf } from "./step/consumer-position.ts";
import { pause } from "./step/pause.ts";
import { resume } from "./step/resume.ts";

/** One partition queue that is merged into the queue of the plan, on both sides of a takeover. */
export interface MergedQueue {
  /** the context of the partition queue */
  readonly context: PlanContext;
  readonly old: LiveMember;
  readonly taker: LiveMember;
}

/** The partition queues that feed a combined queue; both nodes must be targets of the same ones.
 * @returns none when the queue is not a combined one
 * Source: spec/cascade.md 10.2 step 1 */
export async function readMergedQueues(
  context: PlanContext,
  taker: LiveMember,
  old: LiveMember,
): Promise<MergedQueue[]> {
  const merged: MergedQueue[] = [];
  for (const queueName of old.node.targetFor) {
    if (!taker.node.targetFor.includes(queueName)) continue;
    const partContext = { ...context, admin: { ...context.admin, queueName } };
    merged.push({
      context: partContext,
      old: await partitionLeaf(partContext, old),
      taker: await partitionLeaf(partContext, taker),
    });
  }
  return merged;
}

export function checkTargets(taker: LiveMember, old: LiveMember): Finding[] {
  const [here, there] = [taker, old].map(({ node }) => node.targetFor.toSorted().join(","));
  if (here === there) return [];
  return [
    {
      kind: "refusal",
      text: `Inconsistent targets: old-node=${there} new-node=${here}`,
      hint: "Both databases need a leaf of each partition queue, created with --merge.",
    },
  ];
}

/** Nothing more may come into the combined queue, and the new node must know how much of each partition is in it. */
export function stopMerging(merged: readonly MergedQueue[]): PlanStep[] {
  return [
    ...merged.map(({ context, old }) => pause(context, workerOf(old))),
    ...merged.map(({ context, old, taker }) => {
      const position = async () => (await stateOf(context, workerOf(old))).completedTick;
      return catchUp(context, taker, position, `the merge position of "${old.nodeName}"`);
    }),
  ];
}

export function startMerging(merged: readonly MergedQueue[]): PlanStep[] {
  return merged.map(({ context, old }) => resume(context, workerOf(old)));
}

/** The leaf of a partition queue in the database of a combined node. */
async function partitionLeaf({ admin }: PlanContext, at: LiveMember): Promise<LiveMember> {
  const { db, location } = at;
  const node = (await getNodeInfo(db, admin.queueName))!;
  const consumers = await getCascadedConsumers(db, admin.queueName);
  await db.commit();
  const { nodeName } = node;
  return { nodeName, location, isDead: false, db, node, queue: null, subscribers: [], consumers };
}
