import { getSubscriberInfo, registerSubscriber, unregisterSubscriber } from "../../pgq-node-api.ts";
import type { Finding, PlanStep } from "../plan.ts";
import { insideOn } from "../plan-context.ts";
import type { LiveMember, SetState } from "../set-state.ts";
import { gravestoneName } from "../takeover-dead-root.ts";
import type { Resurrection } from "./resurrection.ts";

/** Another root, while both take events: two nodes have taken over from the same one, the second without knowing of the first.
 * @returns undefined where there is none, and during a switchover, in which the old root takes none */
export function rivalOf(set: SetState, self: LiveMember): LiveMember | undefined {
  const takesEvents = ({ node, queue }: LiveMember) =>
    node.nodeType === "root" && queue?.isInsertDisabled === false;
  return takesEvents(self) ? set.roots.find((root) => root !== self && takesEvents(root)) : undefined;
}

/** The other root remembers this one as it would a dead one that it had taken over from: from then on it is no rival any more, also
 * when the command is interrupted. */
export function bury({ context, self, provider, sharedTick }: Resurrection): PlanStep {
  const { queueName } = context.admin;
  const { db, nodeName } = provider;
  const gravestone = gravestoneName(self.nodeName);
  const registered = async () => {
    const subscribers = await getSubscriberInfo(db, queueName);
    return subscribers.find((each) => each.nodeName === self.nodeName);
  };
  return {
    name: "bury",
    node: nodeName,
    action: `remember "${self.nodeName}" by a gravestone at tick ${sharedTick}, the last that both have`,
    doneWhen: "it has the gravestone",
    undoneBy: null,
    isDone: async () => {
      const entry = await registered();
      await db.commit();
      return entry?.workerName === gravestone;
    },
    run: () =>
      db.transaction(async () => {
        const call = insideOn(context, nodeName);
        if ((await registered()) !== undefined)
          await unregisterSubscriber(db, call, queueName, self.nodeName);
        await registerSubscriber(db, call, queueName, self.nodeName, gravestone, sharedTick);
      }),
  };
}

/** What becomes of the root that is given up, and of whoever reads from it. */
export function rivalFindings(set: SetState, { self, provider, sharedTick }: Resurrection): Finding[] {
  const text = `"${self.nodeName}" and "${provider.nodeName}" are both roots: "${self.nodeName}" is given up, and what only it has is set aside`;
  const readers = set.readersOf(self.nodeName).map(({ nodeName, node }): Finding => {
    const what = `${node.nodeType} "${nodeName}" reads from "${self.nodeName}", which forgets it`;
    return {
      kind: "warning",
      text:
        node.workerLastTick > sharedTick
          ? `${what}; it has applied ticks up to ${node.workerLastTick} and is to be created anew: look there first for what only it has`
          : `${what}: give it another provider with change-provider`,
    };
  });
  return [{ kind: "warning", text }, ...readers];
}
