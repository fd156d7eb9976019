import { type Database, maskConnectString, parseConnectPairs } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { membersOf, openLocal, openLocation, requireLocalNode } from "../node-connection.ts";
import type { NodeLocation, NodeType } from "../node-info.ts";
import { type LagLegs, lagLegs, lagSeconds } from "./lag.ts";
import { type NodeReport, readNodeReport } from "./node-report.ts";
import { stuckReason } from "./stuck-reason.ts";

/** One node as `status` shows it. */
export interface NodeStatus {
  readonly nodeName: string;
  /** "dead": tagged so; "unreachable": could not be asked, see `failure` */
  readonly type: NodeType | "dead" | "unreachable";
  /** connect string without password */
  readonly location: string;
  /** service name of the connect string */
  readonly service: string | null;
  /** null on a root and where it is not known */
  readonly providerNode: string | null;
  /** root: age of the newest tick; others: age of the tick that they have finished; null when not known */
  readonly lagSeconds: number | null;
  /** parts of the lag; null on a root and when not known */
  readonly legs: LagLegs | null;
  readonly tickId: bigint | null;
  /** null where the node could not be asked, as the next one */
  readonly isPaused: boolean | null;
  readonly isUptodate: boolean | null;
  readonly attributes: ReadonlyMap<string, string | null>;
  /** what the application adds, such as table counts */
  readonly lines: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
  readonly errors: readonly { readonly consumerName: string; readonly message: string }[];
  /** why the node could not be asked */
  readonly failure: string | null;
  /** why it does not get on; null when nothing is wrong */
  readonly stuckReason: string | null;
}

/** The whole set as seen from one node. */
export interface QueueStatus {
  readonly queueName: string;
  readonly localNode: string;
  readonly nodes: readonly NodeStatus[];
}

type Answer = { readonly report: NodeReport } | { readonly failure: string } | undefined;

/** Asks all living members at once; one that does not answer becomes a row, not an error.
 * @param deadNodes nodes to treat as dead this time
 * @throws UsageError when there is no local node
 * Source: spec/cascade.md section 11 */
export async function readQueueStatus(
  admin: CascadeAdmin,
  deadNodes: readonly string[] = [],
): Promise<QueueStatus> {
  const local = await openLocal(admin);
  const here = await requireLocalNode(admin, local);
  const members = await membersOf(local, admin.queueName);
  const isDead = (member: NodeLocation) => member.isDead || deadNodes.includes(member.nodeName);
  const answers = new Map<string, Answer>(
    await Promise.all(
      members.map(async (member): Promise<[string, Answer]> => {
        if (isDead(member)) return [member.nodeName, undefined];
        const open = () =>
          member.nodeName === here.nodeName ? Promise.resolve(local) : openLocation(admin, member.location);
        return [member.nodeName, await askNode(admin, open, member.nodeName)];
      }),
    ),
  );
  const reports = new Map<string, NodeReport>();
  for (const [name, answer] of answers) {
    if (answer !== undefined && "report" in answer) reports.set(name, answer.report);
  }
  const nodes = members.map((member) => {
    const answer = answers.get(member.nodeName);
    return answer !== undefined && "report" in answer
      ? livingNode(member, answer.report, reports)
      : silentNode(member, answer?.failure);
  });
  return { queueName: admin.queueName, localNode: here.nodeName, nodes };
}

async function askNode(
  admin: CascadeAdmin,
  open: () => Promise<Database>,
  nodeName: string,
): Promise<Answer> {
  try {
    const report = await readNodeReport(admin, await open());
    if (report.node.nodeName === nodeName) return { report };
    return { failure: `its location leads to node "${report.node.nodeName}"` };
  } catch (error) {
    return { failure: (error instanceof Error ? error.message : String(error)).split("\n")[0]! };
  }
}

function livingNode(
  member: NodeLocation,
  report: NodeReport,
  reports: ReadonlyMap<string, NodeReport>,
): NodeStatus {
  const { node, errors, fields, lines } = report;
  return {
    ...basics(member),
    type: node.nodeType,
    providerNode: node.nodeType === "root" ? null : node.providerNode,
    lagSeconds: lagSeconds(report, reports),
    legs: lagLegs(report, reports),
    tickId: node.workerLastTick,
    isPaused: node.isWorkerPaused,
    isUptodate: node.isWorkerUptodate,
    attributes: node.attributes,
    lines,
    fields,
    errors,
    failure: null,
    stuckReason: stuckReason(report, reports),
  };
}

/** @param failure undefined for a node that is tagged dead: nobody works there */
function silentNode(member: NodeLocation, failure: string | undefined): NodeStatus {
  const isDead = failure === undefined;
  return {
    ...basics(member),
    type: isDead ? "dead" : "unreachable",
    providerNode: null,
    lagSeconds: null,
    legs: null,
    tickId: null,
    isPaused: isDead ? true : null,
    isUptodate: isDead ? false : null,
    attributes: new Map(),
    lines: [],
    fields: {},
    errors: [],
    failure: failure ?? null,
    stuckReason: isDead ? null : `cannot be asked: ${failure}`,
  };
}

function basics(member: NodeLocation) {
  return {
    nodeName: member.nodeName,
    location: maskConnectString(member.location),
    service: parseConnectPairs(member.location).get("service") ?? null,
  };
}
