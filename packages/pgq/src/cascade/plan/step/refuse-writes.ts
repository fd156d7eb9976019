import { setQueueConfig } from "../../../pgq-api.ts";
import { demoteRoot } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type PlanContext, quietOn } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** Makes the old root refuse events, so that there can be a last tick. Writers get errors from here until the new root is
 * promoted. */
export function refuseWrites(context: PlanContext, root: LiveMember, newRootName: string): PlanStep {
  return {
    ...refuseWritesForGood(context, root, newRootName),
    undoneBy: "accept events again",
    undo: () => acceptWritesOn(context, root),
  };
}

/** The same for a root that is no root any more and only does not know it: it never accepts events again. */
export function refuseWritesForGood(context: PlanContext, root: LiveMember, newRootName: string): PlanStep {
  const { queueName } = context.admin;
  return {
    name: "refuse-writes",
    node: root.nodeName,
    action: "refuse further events: applications get errors here",
    doneWhen: "inserts are disabled and ticks come from outside",
    undoneBy: null,
    isDone: () => isRefusing(context, root),
    run: async () => {
      await demoteRoot(root.db, quietOn(context, root.nodeName), queueName, 1, newRootName);
    },
  };
}

/** The way back of a switchover that was interrupted before the promotion. */
export function acceptWrites(context: PlanContext, root: LiveMember): PlanStep {
  return {
    name: "accept-writes",
    node: root.nodeName,
    action: "accept events again",
    doneWhen: "inserts are enabled",
    undoneBy: null,
    isDone: async () => !(await isRefusing(context, root)),
    run: () => acceptWritesOn(context, root),
  };
}

async function isRefusing({ admin }: PlanContext, { db }: LiveMember): Promise<boolean> {
  const isRefused = await db.queryValue<boolean>(
    "select queue_disable_insert and queue_external_ticker from pgq.queue where queue_name = $1",
    [admin.queueName],
  );
  await db.commit();
  return isRefused === true;
}

async function acceptWritesOn({ admin }: PlanContext, { db }: LiveMember): Promise<void> {
  const { queueName } = admin;
  await db.transaction(async () => {
    await setQueueConfig(db, queueName, "external_ticker", "false");
    await db.query(
      `update pgq.queue q set queue_disable_insert = false from pgq_node.node_info n
        where q.queue_name = $1 and n.queue_name = q.queue_name and n.node_type = 'root'`,
      [queueName],
    );
  });
}
