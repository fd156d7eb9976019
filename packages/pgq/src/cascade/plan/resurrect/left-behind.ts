import { existsSync } from "node:fs";
import type { Finding, Plan } from "../plan.ts";
import { silentFindings } from "../plan-checks.ts";
import { workerOf } from "../plan-context.ts";
import type { LiveMember, SetState } from "../set-state.ts";
import { completeTick } from "../step/complete-tick.ts";
import { switchProvider } from "../step/switch-provider.ts";
import { tag } from "../step/tag.ts";
import { gravestoneName } from "../takeover-dead-root.ts";
import { dumpFileExists } from "./dump-file.ts";
import { countEventsAfter } from "./events-after.ts";
import type { Resurrection } from "./resurrection.ts";
import { newestSharedTick, nothingShared } from "./shared-tick.ts";
import {
  becomePausedBranch,
  dropReaders,
  learnMembers,
  removeLost,
  replaceGravestone,
  setAside,
} from "./steps.ts";

/** The root that has gone on without a branch: another one than it reads from, which is the grave of that, or has no other way to it.
 * @returns undefined for a node that was not left out */
export function rootWithout(set: SetState, { nodeName, node }: LiveMember): LiveMember | undefined {
  if (node.nodeType !== "branch") return undefined;
  const provider = set.live.get(node.providerNode);
  const isSubscribed = provider?.subscribers.some((each) => each.nodeName === nodeName) === true;
  return set.roots.find(
    (root) =>
      root.nodeName !== node.providerNode &&
      (!isSubscribed || root.queue?.positions.has(gravestoneName(node.providerNode)) === true),
  );
}

/** Brings a branch back that did not answer when another one took over from their dead root, and that had come farther: what only it
 * has is set aside, and it goes back to where the new root began. Whoever reads from it and is beyond that is forgotten.
 * @param work the provider is the new root */
export async function leftBehindPlan(
  work: Omit<Resurrection, "sharedTick" | "takeoverTick">,
  set: SetState,
  title: string,
): Promise<Plan> {
  const { context, self, provider } = work;
  const { queueName } = context.admin;
  const { nodeName, node } = self;
  const sharedTick = await newestSharedTick(self.db, provider.db, queueName, node.workerLastTick);
  if (sharedTick === undefined) return refused(title, nothingShared(self, provider));
  const isCut = self.queue!.newestTick === sharedTick && node.workerLastTick === sharedTick;
  if (isCut && !node.isWorkerPaused) return refused(title, notAhead(self, provider));
  // Paused by the run before, which may have written it: then the very same is written again.
  if (!isCut && !node.isWorkerPaused && existsSync(work.dumpFile)) throw dumpFileExists(work.dumpFile);

  const whole: Resurrection = { ...work, sharedTick, takeoverTick: sharedTick };
  const { eventCount } = await countEventsAfter(self.db, queueName, sharedTick);
  const text = `branch "${nodeName}" has ${eventCount} events after tick ${sharedTick}, the last that it has in common with "${provider.nodeName}"`;
  return {
    title,
    findings: [{ kind: "note", text }, ...silentFindings(set), ...farReaders(set, self, sharedTick)],
    steps: [
      becomePausedBranch(whole),
      completeTick(context, self),
      dropReaders(whole, sharedTick),
      setAside(whole),
      removeLost(whole),
      replaceGravestone(whole),
      switchProvider(context, workerOf(self), provider, false),
      learnMembers(whole),
      tag(context, provider, nodeName, false),
    ],
    workers: [],
  };
}

function farReaders(set: SetState, self: LiveMember, sharedTick: bigint): Finding[] {
  return set
    .readersOf(self.nodeName)
    .filter(({ node }) => node.workerLastTick > sharedTick)
    .map(({ nodeName, node }) => ({
      kind: "warning",
      text: `${node.nodeType} "${nodeName}" reads from "${self.nodeName}" and has applied ticks up to ${node.workerLastTick} too: it cannot follow and is to be created anew; look there first for what only it has`,
    }));
}

function notAhead(self: LiveMember, provider: LiveMember): Finding {
  return {
    kind: "refusal",
    text: `"${self.nodeName}" has nothing that "${provider.nodeName}" has not`,
    hint: `Run the takeover again on "${provider.nodeName}", which takes it along: takeover ${self.node.providerNode} --dead-root.`,
  };
}

function refused(title: string, finding: Finding): Plan {
  return { title, findings: [finding], steps: [], workers: [] };
}
