import { urlEncodeRow } from "@skytools/skytools";
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

/** An old and a new name of one node. */
export interface Renaming {
  readonly oldName: string;
  readonly newName: string;
}

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

/** Replaces the old name by the new one, in the list of sync_watermark too. */
export function switchName(context: PlanContext, on: LiveMember, { oldName, newName }: Renaming): PlanStep {
  const { queueName } = context.admin;
  const { db } = on;
  return {
    name: "switch-name",
    node: on.nodeName,
    action: `call "${oldName}" "${newName}", and forget the old name`,
    doneWhen: "the old name is not a member",
    undoneBy: null,
    isDone: async () => {
      const members = await getQueueLocations(db, queueName);
      await db.commit();
      return members.every(({ nodeName }) => nodeName !== oldName);
    },
    run: () =>
      db.transaction(async () => {
        const call = insideOn(context, on.nodeName);
        await renameNode(db, call, queueName, 2, oldName, newName);
        const { attributes } = (await getNodeInfo(db, queueName))!;
        const synced = attributes.get("sync_watermark")?.split(",") ?? [];
        if (!synced.includes(oldName)) return;
        const renamed = synced.map((name) => (name === oldName ? newName : name)).join(",");
        const changed = { ...Object.fromEntries(attributes), sync_watermark: renamed };
        await setNodeAttributes(db, call, queueName, urlEncodeRow(changed));
      }),
  };
}
