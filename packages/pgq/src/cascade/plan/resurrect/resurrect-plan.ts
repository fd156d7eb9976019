import { existsSync } from "node:fs";
import type { Finding, Plan, PlanStep } from "../plan.ts";
import { silentFindings } from "../plan-checks.ts";
import type { PlanContext } from "../plan-context.ts";
import type { LiveMember, SetState } from "../set-state.ts";
import { finalTick } from "../step/final-tick.ts";
import { refuseWritesForGood } from "../step/refuse-writes.ts";
import { tag } from "../step/tag.ts";
import { gravestoneName } from "../takeover-dead-root.ts";
import { dumpFileExists } from "./dump-file.ts";
import { readDumpNote } from "./dump-note.ts";
import { countEventsAfter } from "./events-after.ts";
import { dataKept, leftBehindPlan, rootWithout } from "./left-behind.ts";
import { checkDumpFile } from "./read-dump-file.ts";
import type { Resurrection } from "./resurrection.ts";
import { bury, rivalFindings, rivalOf } from "./rival-root.ts";
import { isQueueCut, removeLost, setAside } from "./set-aside.ts";
import { newestSharedTick, nothingShared } from "./shared-tick.ts";
import { becomePausedBranch, dropReaders, learnMembers, replaceGravestone } from "./steps.ts";

/** What resurrect is told. */
export interface ResurrectOptions {
  readonly dumpFile: string;
  readonly isMerging: boolean;
  readonly statistics: Map<string, unknown>;
}

/** Turns the local node, a root that was declared dead and is back, into a paused branch of the set that has gone on without it; also
 * a branch that the takeover had to leave out, and that has what the new root has not; also one of two roots that both take events.
 * Works too when the database was restored, or a standby promoted, at an older or a newer state than the takeover.
 * Source: spec/cascade.md section 12
 * @throws SkytoolsError DUMP_FILE when a file is in the way, or that of the run before is not there any more */
export async function resurrectPlan(
  context: PlanContext,
  set: SetState,
  options: ResurrectOptions,
): Promise<Plan> {
  const self = set.live.get(set.localNode)!;
  const { nodeName, node } = self;
  const title = `resurrect ${nodeName}`;
  const nothing = (finding: Finding): Plan => ({ title, findings: [finding], steps: [], workers: [] });
  if (node.nodeType === "leaf") return nothing({ kind: "note", text: "Current node is leaf, nothing to do" });
  if (node.nodeType === "root" && existsSync(options.dumpFile)) throw dumpFileExists(options.dumpFile);

  context.admin.job.log.info("** Searching for gravestone **");
  const others = [...set.live.values()].filter((member) => member !== self);
  for (const name of set.silent.keys()) context.admin.job.log.info(`Node ${name} is dead, skipping`);
  const graves = others.filter(({ queue }) => queue?.positions.has(gravestoneName(nodeName)) === true);
  const root = others.find((member) => member.node.nodeType === "root");
  const rival = graves.length === 0 ? rivalOf(set, self) : undefined;
  const provider = graves[0] ?? rival;
  if (root === undefined) return nothing(refusal("Cannot find new root node"));
  if (graves.length > 1) {
    const names = graves.map((each) => `"${each.nodeName}"`).join(", ");
    return nothing(refusal(`${names} all have a gravestone of "${nodeName}"`));
  }
  if (provider === undefined) {
    const newRoot = rootWithout(set, self);
    if (newRoot !== undefined)
      return leftBehindPlan({ context, self, provider: newRoot, ...options }, set, title);
    return withoutGrave(context, set, self, title, options.isMerging);
  }
  const grave = provider.queue!.positions.get(gravestoneName(nodeName));
  const notAfter = grave ?? self.queue!.newestTick;
  const sharedTick = await newestSharedTick(self.db, provider.db, context.admin.queueName, notAfter);
  if (sharedTick === undefined) return nothing(nothingShared(self, provider));
  const takeoverTick = grave ?? sharedTick;
  const work: Resurrection = { context, self, provider, sharedTick, takeoverTick, ...options };
  if (options.isMerging && (await isQueueCut(work))) await checkSetAside(work);
  const isRival = grave === undefined;
  return {
    title,
    findings: [
      ...silentFindings(set),
      ...(isRival ? rivalFindings(set, work) : []),
      ...(await describe(work)),
    ],
    steps: [...(isRival ? [bury(work)] : []), ...resurrection(work, root)],
    workers: [],
  };
}

function resurrection(work: Resurrection, root: LiveMember): PlanStep[] {
  const { context, self, provider } = work;
  const becomes = becomePausedBranch(work);
  return [
    ...(self.node.nodeType === "root"
      ? [refuseWritesForGood(context, self, provider.nodeName), dropReaders(work)]
      : []),
    finalTick(context, self, provider.nodeName, becomes.isDone),
    becomes,
    ...(self.node.nodeType === "root" ? [] : [dropReaders(work)]),
    setAside(work),
    removeLost(work),
    replaceGravestone(work),
    learnMembers(work),
    ...(root === provider ? [] : [tag(context, root, self.nodeName, false)]),
  ];
}

/** Before anything is changed: the run before has removed what is to be merged. */
async function checkSetAside({ context, self, dumpFile }: Resurrection): Promise<void> {
  const expected = await readDumpNote(self.db, context.admin.queueName);
  await self.db.commit();
  await checkDumpFile(dumpFile, expected);
}

async function describe(work: Resurrection): Promise<Finding[]> {
  const { self, provider, sharedTick, takeoverTick, isMerging, context } = work;
  const { eventCount, unbatchedCount } = await countEventsAfter(self.db, context.admin.queueName, sharedTick);
  const findings: Finding[] = [
    {
      kind: "note",
      text: `"${self.nodeName}" has ${eventCount} events after tick ${sharedTick}, ${unbatchedCount} of them in no batch yet`,
    },
    {
      kind: "note",
      text: `"${provider.nodeName}" took over at tick ${takeoverTick}; "${self.nodeName}" is at ${self.queue!.newestTick}, and both have tick ${sharedTick}`,
    },
  ];
  if (eventCount > 0n) findings.push(dataKept(self));
  if (sharedTick < takeoverTick) {
    findings.push({
      kind: "warning",
      text: `the database of "${self.nodeName}" is older than the takeover: it gets ticks after ${sharedTick} from "${provider.nodeName}", and may hold a part of their changes already; compare its data afterwards`,
    });
  }
  const reason = isMerging ? context.admin.hooks?.mergeRefusal : undefined;
  if (reason !== undefined)
    findings.push(refusal(`lost events cannot be merged: ${reason}`, "Run it without --requeue."));
  if (isMerging && provider.node.nodeType !== "root") {
    findings.push(refusal(`"${provider.nodeName}" is not the root, so lost events cannot be merged there`));
  }
  return findings;
}

/** Without a gravestone the node was resurrected already, or was never declared dead. */
function withoutGrave(
  context: PlanContext,
  set: SetState,
  self: LiveMember,
  title: string,
  isMerging: boolean,
): Plan {
  const { node, nodeName } = self;
  const provider = set.live.get(node.providerNode);
  const isSubscribed = provider?.subscribers.some((each) => each.nodeName === nodeName) === true;
  if (node.nodeType === "branch" && isSubscribed && provider !== undefined) {
    const note: Finding = {
      kind: "note",
      text: `"${nodeName}" is a branch of "${provider.nodeName}" already${isMerging ? ": --requeue puts nothing into the queue any more" : ""}`,
    };
    return { title, findings: [note], steps: [learnMembers({ context, self, provider })], workers: [] };
  }
  return {
    title,
    findings: [
      refusal(
        `Cannot find failover position (${gravestoneName(nodeName)})`,
        "Only a root that was taken over with --dead-root, or a branch that such a takeover has left out, can be resurrected.",
      ),
    ],
    steps: [],
    workers: [],
  };
}

function refusal(text: string, hint?: string): Finding {
  return { kind: "refusal", text, hint };
}
