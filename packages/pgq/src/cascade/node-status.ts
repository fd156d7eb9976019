import { type Database, maskConnectString, parseConnectPairs } from "@skytools/skytools";
import { getConsumerInfo } from "../pgq-api.ts";
import type { CascadeAdmin } from "./cascade-admin.ts";
import { membersOf, openLocal, openLocation, requireLocalNode } from "./node-connection.ts";
import type { NodeInfo, NodeLocation, NodeType } from "./node-info.ts";
import { getCascadedConsumers, getNodeInfo } from "./pgq-node-api.ts";

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
  readonly tickId: bigint | null;
  readonly isPaused: boolean;
  readonly isUptodate: boolean;
  readonly attributes: ReadonlyMap<string, string | null>;
  /** what the application adds, such as table counts */
  readonly lines: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
  readonly errors: readonly { readonly consumerName: string; readonly message: string }[];
  /** why the node could not be asked */
  readonly failure: string | null;
}

/** The whole set as seen from one node. */
export interface QueueStatus {
  readonly queueName: string;
  readonly localNode: string;
  readonly nodes: readonly NodeStatus[];
}

/** What one node tells about itself and about those who read from it. */
interface NodeReport {
  readonly node: NodeInfo;
  readonly nowSeconds: number;
  readonly newestTickSeconds: number | null;
  /** events wait for longer than any ticker would let them */
  readonly isTickLate: boolean;
  /** time of the last finished tick of each consumer here, seconds since the epoch */
  readonly consumerTickSeconds: ReadonlyMap<string, number>;
  readonly errors: NodeStatus["errors"];
  readonly lines: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Age at which a tick that should have come is called late, at least. */
const lateTickSeconds = 10;
const noTicks = "NO TICKS: events wait, is pgqd running?";

type Answer = { readonly report: NodeReport } | { readonly failure: string } | undefined;

/** Asks all living members at once; one that does not answer becomes a row, not an error.
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
        return [member.nodeName, await askNode(admin, open)];
      }),
    ),
  );
  const nodes = members.map((member) => nodeStatus(member, answers));
  return { queueName: admin.queueName, localNode: here.nodeName, nodes };
}

async function askNode(admin: CascadeAdmin, open: () => Promise<Database>): Promise<Answer> {
  try {
    return { report: await nodeReport(admin, await open()) };
  } catch (error) {
    return { failure: (error instanceof Error ? error.message : String(error)).split("\n")[0]! };
  }
}

async function nodeReport(admin: CascadeAdmin, db: Database): Promise<NodeReport> {
  const { queueName } = admin;
  const node = await getNodeInfo(db, queueName);
  if (node === undefined) throw new Error(`queue "${queueName}" has no node in ${db.label}`);
  const consumers = await getCascadedConsumers(db, queueName);
  const extra = (await admin.hooks?.nodeStatus?.(db, queueName)) ?? { lines: [], fields: {} };
  const times = await tickTimes(db, queueName, node.nodeType !== "leaf");
  await db.commit();
  return {
    node,
    ...times,
    errors: consumers
      .filter((consumer) => consumer.currentError !== null)
      .map((consumer) => ({ consumerName: consumer.consumerName, message: consumer.currentError! })),
    lines: extra.lines,
    fields: extra.fields,
  };
}

async function tickTimes(db: Database, queueName: string, hasQueue: boolean) {
  const { now } = await db.queryOne<{ now: number }>("select extract(epoch from now())::float8 as now");
  if (!hasQueue)
    return { nowSeconds: now, newestTickSeconds: null, consumerTickSeconds: new Map(), isTickLate: false };
  const newest = await db.queryOne<{ lag: number | null; isLate: boolean | null }>(
    `select extract(epoch from ticker_lag)::float8 as lag,
            ev_new > 0 and ticker_lag > greatest(queue_ticker_max_lag * 3, interval '${lateTickSeconds} seconds') as "isLate"
       from pgq.get_queue_info($1)`,
    [queueName],
  );
  const lags = await consumerLags(db, queueName);
  return {
    nowSeconds: now,
    newestTickSeconds: newest.lag === null ? null : now - newest.lag,
    isTickLate: newest.isLate === true,
    consumerTickSeconds: new Map(lags.map(({ consumerName, lag }) => [consumerName, now - lag])),
  };
}

async function consumerLags(db: Database, queueName: string) {
  const infos = await getConsumerInfo(db, queueName);
  const lags = [];
  for (const info of infos) {
    if (info.lag !== null) lags.push({ consumerName: info.consumerName, lag: intervalSeconds(info.lag) });
  }
  return lags;
}

/** Seconds of an interval in PostgreSQL's own output style, as `1 day 02:03:04.5`. */
function intervalSeconds(text: string): number {
  const days = /(-?\d+) days?/.exec(text);
  const clock = /(-?)(\d+):(\d+):(\d+(?:\.\d+)?)/.exec(text);
  const clockSeconds =
    clock === null ? 0 : Number(clock[2]) * 3600 + Number(clock[3]) * 60 + Number(clock[4]);
  return Number(days?.[1] ?? 0) * 86_400 + (clock?.[1] === "-" ? -clockSeconds : clockSeconds);
}

function nodeStatus(member: NodeLocation, answers: ReadonlyMap<string, Answer>): NodeStatus {
  const base = {
    nodeName: member.nodeName,
    location: maskConnectString(member.location),
    service: parseConnectPairs(member.location).get("service") ?? null,
  };
  const answer = answers.get(member.nodeName);
  if (answer === undefined || !("report" in answer)) {
    return {
      ...base,
      type: answer === undefined ? "dead" : "unreachable",
      providerNode: null,
      lagSeconds: null,
      tickId: null,
      isPaused: true,
      isUptodate: false,
      attributes: new Map(),
      lines: [],
      fields: {},
      errors: [],
      failure: answer?.failure ?? null,
    };
  }
  const { node, errors, fields, isTickLate } = answer.report;
  const isRoot = node.nodeType === "root";
  const lines = isRoot && isTickLate ? [...answer.report.lines, noTicks] : answer.report.lines;
  return {
    ...base,
    type: node.nodeType,
    providerNode: isRoot ? null : node.providerNode,
    lagSeconds: lagOf(answer.report, answers),
    tickId: node.workerLastTick,
    isPaused: node.isWorkerPaused,
    isUptodate: node.isWorkerUptodate,
    attributes: node.attributes,
    lines,
    fields: isRoot ? { ...fields, isTickLate } : fields,
    errors,
    failure: null,
  };
}

/** Age, by the root's clock, of what a node has finished on its provider. */
function lagOf(report: NodeReport, answers: ReadonlyMap<string, Answer>): number | null {
  const { node } = report;
  if (node.nodeType === "root") return ageAt(report.nowSeconds, report.newestTickSeconds);
  const provider = answers.get(node.providerNode);
  if (provider === undefined || !("report" in provider)) return null;
  const tickSeconds = provider.report.consumerTickSeconds.get(node.workerName);
  return ageAt(rootClock(provider.report, answers), tickSeconds ?? null);
}

function rootClock(start: NodeReport, answers: ReadonlyMap<string, Answer>): number {
  let report = start;
  for (let steps = 0; steps < answers.size && report.node.nodeType !== "root"; steps += 1) {
    const above = answers.get(report.node.providerNode);
    if (above === undefined || !("report" in above)) break;
    report = above.report;
  }
  return report.nowSeconds;
}

function ageAt(nowSeconds: number, thenSeconds: number | null): number | null {
  return thenSeconds === null ? null : Math.max(0, nowSeconds - thenSeconds);
}
