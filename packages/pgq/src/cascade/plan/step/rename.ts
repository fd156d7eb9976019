import { type Database, urlEncodeRow } from "@skytools/skytools";
import type { Renaming } from "../../cascade-admin.ts";
import {
  getNodeInfo,
  getQueueLocations,
  getSubscriberInfo,
  renameNode,
  setNodeAttributes,
} from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { insideOn, type PlanContext, quietOn } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** Makes the new name known beside the old one. */
export function addName(context: PlanContext, on: LiveMember, { oldName, newName }: Renaming): PlanStep {
  const { queueName } = context.admin;
  return {
    name: "add-name",
    node: on.nodeName,
    action: `know "${oldName}" as "${newName}" too`,
    doneWhen: "the new name is a member and, where the old one is, a subscriber",
    undoneBy: null,
    isDone: async () => {
      const members = (await getQueueLocations(on.db, queueName)).map(({ nodeName }) => nodeName);
      const subscribers = (await getSubscriberInfo(on.db, queueName)).map(({ nodeName }) => nodeName);
      await on.db.commit();
      if (!members.includes(oldName)) return true;
      const isSubscribed = !subscribers.includes(oldName) || subscribers.includes(newName);
      return members.includes(newName) && isSubscribed;
    },
    run: () => renameNode(on.db, quietOn(context, on.nodeName), queueName, 1, oldName, newName),
  };
}

/** Replaces the old name by the new one, in the list of sync_watermark and in what the application has stored too. */
export function switchName(context: PlanContext, on: LiveMember, names: Renaming): PlanStep {
  const { queueName, hooks, job } = context.admin;
  const { oldName, newName } = names;
  const { db } = on;
  return {
    name: "switch-name",
    node: on.nodeName,
    action: `call "${oldName}" "${newName}" everywhere, and forget the old name`,
    doneWhen: "nothing is called by the old name",
    undoneBy: null,
    isDone: async () => {
      const members = await getQueueLocations(db, queueName);
      const isMember = members.some(({ nodeName }) => nodeName === oldName);
      const isUsed =
        isMember ||
        (await synchronizedNodes(db, queueName)).includes(oldName) ||
        (await hooks?.nodeNames?.areUsed(db, queueName, oldName)) === true;
      await db.commit();
      return !isUsed;
    },
    run: () =>
      db.transaction(async () => {
        const call = insideOn(context, on.nodeName);
        await renameNode(db, call, queueName, 2, oldName, newName);
        await hooks?.nodeNames?.replace(db, queueName, names, job.log);
        const synchronized = await synchronizedNodes(db, queueName);
        if (!synchronized.includes(oldName)) return;
        const { attributes } = (await getNodeInfo(db, queueName))!;
        const renamed = synchronized.map((name) => (name === oldName ? newName : name)).join(",");
        const changed = { ...Object.fromEntries(attributes), sync_watermark: renamed };
        await setNodeAttributes(db, call, queueName, urlEncodeRow(changed));
      }),
  };
}

/** Names in the list of sync_watermark. */
async function synchronizedNodes(db: Database, queueName: string): Promise<readonly string[]> {
  const node = await getNodeInfo(db, queueName);
  return node?.attributes.get("sync_watermark")?.split(",") ?? [];
}
