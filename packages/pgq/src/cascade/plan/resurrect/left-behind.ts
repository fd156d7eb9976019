import { existsSync } from "node:fs";
import type { Finding, Plan } from "../plan.ts";
import { silentFindings } from "../plan-checks.ts";
import { workerOf } from "../plan-context.ts";
import type { LiveMember, SetState } from "../set-state.ts";
import { completeTick } from "../step/complete-tick.ts";
import { pause } from "../step/pause.ts";
import { switchProvider } from "../step/switch-provider.ts";
import { tag } from "../step/tag.ts";
import { gravestoneName } from "../takeover-dead-root.ts";
import { dumpFileExists } from "./dump-file.ts";
import { countEventsAfter } from "./events-after.ts";
import type { Resurrection } from "./resurrection.ts";
import { removeLost, setAside } from "./set-aside.ts";
import { newestSharedTick, nothingShared } from "./shared-tick.ts";
import { dropReaders, learnMembers, replaceGravestone } from "./steps.ts";

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
  const isAhead = !(await holdsTick(provider, queueName, node.workerLastTick));
  // A paused one that ends with the shared tick may have been cut by a run that did not come to its end.
  if (!isAhead && !(isCut && node.isWorkerPaused)) return refused(title, notAhead(self, provider));
  // Paused by the run before, which may have written it: then the very same is written again.
  if (isAhead && !node.isWorkerPaused && existsSync(work.dumpFile)) throw dumpFileExists(work.dumpFile);

  const whole: Resurrection = { ...work, sharedTick, takeoverTick: sharedTick };
  return {
    title,
    findings: [
      ...(await describe(whole)),
      ...silentFindings(set),
      ...farReaders(set, self, sharedTick),
      ...(work.isMerging ? [noMerging] : []),
    ],
    steps: [
      pause(context, workerOf(self)),
      completeTick(context, self),
      dropReaders(whole, sharedTick),
      setAside(whole),
      removeLost(whole),
      replaceGravestone(whole),
      switchProvider(context, workerOf(self), provider, false),
      learnMembers(whole),
      tag(context, provider, nodeName, false),
    ],
    workers: [{ nodeName, consumerName: node.workerName }],
  };
}

const noMerging: Finding = {
  kind: "refusal",
  text: "lost events of a branch cannot be merged: its dead root has them too",
  hint: "Run it without --requeue; where it is possible at all, that belongs to the resurrection of the root.",
};

async function describe({ context, self, provider, sharedTick }: Resurrection): Promise<Finding[]> {
  const { eventCount } = await countEventsAfter(self.db, context.admin.queueName, sharedTick);
  const text = `branch "${self.nodeName}" has ${eventCount} events after tick ${sharedTick}, the last that it has in common with "${provider.nodeName}"`;
  return [{ kind: "note", text }, dataKept(self)];
}

/** Only the queue is cut back: tables are the application's. */
export function dataKept({ nodeName }: LiveMember): Finding {
  const text = `the data of "${nodeName}" still holds what they have changed: compare it afterwards, or copy it anew`;
  return { kind: "warning", text };
}

/** Ids of ticks are used once: a new root goes on far above those of the dead one. */
async function holdsTick({ db }: LiveMember, queueName: string, tickId: bigint): Promise<boolean> {
  const isThere = await db.queryValue<boolean>(
    `select exists (select from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue
                     where q.queue_name = $1 and t.tick_id = $2::int8)`,
    [queueName, tickId],
  );
  await db.commit();
  return isThere === true;
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

function notAhead({ nodeName, node }: LiveMember, { nodeName: root, queue }: LiveMember): Finding {
  const isOverDead = queue?.positions.has(gravestoneName(node.providerNode)) === true;
  return {
    kind: "refusal",
    text: `"${nodeName}" has nothing that "${root}" has not`,
    hint: isOverDead
      ? `Run the takeover again on "${root}", which takes it along: takeover ${node.providerNode} --dead-root.`
      : `When its provider "${node.providerNode}" does not come back: change-provider --provider=${root}.`,
  };
}

function refused(title: string, finding: Finding): Plan {
  return { title, findings: [finding], steps: [], workers: [] };
}
