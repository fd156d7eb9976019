import type { NodeInfo } from "../node-info.ts";
import { lagSeconds, placeOnProvider, type Reports } from "./lag.ts";
import type { NodeReport, QueueReport } from "./node-report.ts";

/** Lag from which a node counts as stuck rather than busy. */
const stuckLagSeconds = 60;

/** Why a node does not get on, in one line: the first cause found, from the node itself up to its provider.
 * @returns null when nothing is wrong */
export function stuckReason(report: NodeReport, reports: Reports): string | null {
  const circle = providerCircle(report, reports);
  if (circle !== undefined) return `nodes provide for each other: ${circle.join(" <- ")}`;
  const own = report.node.nodeType === "root" ? rootReason(report, reports) : followerReason(report, reports);
  return own ?? heldReason(report);
}

function rootReason({ node, queue, nowSeconds, session }: NodeReport, reports: Reports): string | null {
  if (queue === null) return null;
  if (queue.hasExternalTicker) {
    return "takes no events: a switchover was begun and not finished";
  }
  const other = [...reports.values()].find(
    (each) => each.node.nodeType === "root" && each.queue?.hasExternalTicker === false && each.node !== node,
  );
  if (other !== undefined) {
    return `TWO ROOTS: "${other.node.nodeName}" takes events too; stop writing to the one that is given up, and run resurrect there`;
  }
  const isLate =
    queue.waitingEvents > 0 &&
    queue.newestTickSeconds !== null &&
    nowSeconds - queue.newestTickSeconds > queue.lateTickSeconds;
  if (isLate) {
    const seconds = Math.floor(nowSeconds - (queue.newestTickSeconds ?? nowSeconds));
    return queue.isTickerPaused
      ? `NO TICKS for ${seconds} s: the ticker is paused for this queue`
      : `NO TICKS for ${seconds} s: events wait, is pgqd running?`;
  }
  return node.isWorkerUptodate ? null : notAnswering(node.workerName, session.isWorkerThere);
}

function followerReason(report: NodeReport, reports: Reports): string | null {
  const { node, session, errors } = report;
  const isLate = (lagSeconds(report, reports) ?? Number.POSITIVE_INFINITY) >= stuckLagSeconds;
  const failure = errors.find(({ consumerName }) => consumerName === node.workerName);
  if (failure !== undefined) return failureReason(node, failure.message);
  if (!node.isWorkerUptodate) return notAnswering(node.workerName, session.isWorkerThere);
  if (!isLate) return null;
  if (node.isWorkerPaused) return `worker "${node.workerName}" is paused; resume lets it go on`;
  if (session.blocker !== null) return `worker "${node.workerName}" waits for a lock of ${session.blocker}`;
  return providerReason(report, reports);
}

/** Its node's database took the message: it is the provider's that cannot be reached, or one that the application reads. */
function failureReason({ workerName, providerNode }: NodeInfo, message: string): string {
  return message.startsWith("could not connect to database")
    ? `worker "${workerName}" cannot connect: is its provider "${providerNode}" up, and its location right?`
    : `worker "${workerName}" repeats a batch that fails`;
}

function providerReason(report: NodeReport, reports: Reports): string | null {
  const { node, session } = report;
  const provider = reports.get(node.providerNode);
  if (provider === undefined) return `its provider "${node.providerNode}" does not answer`;
  const place = placeOnProvider(report, reports);
  if (place === undefined) {
    return `"${node.workerName}" is not registered on its provider "${node.providerNode}"`;
  }
  const { finishedSeconds, fetchedSeconds, silentSeconds } = place.consumer;
  const newest = place.provider.queue?.newestTickSeconds;
  if (newest == null || finishedSeconds === null || newest <= finishedSeconds) {
    return `its provider "${node.providerNode}" has no newer tick`;
  }
  if (!session.isWorkerThere) {
    return `worker "${node.workerName}" is not connected to the node's database: is job "${node.workerName}" running?`;
  }
  return fetchedSeconds === null
    ? `worker "${node.workerName}" has asked for nothing for ${Math.floor(silentSeconds)} s`
    : `worker "${node.workerName}" has been at one batch for ${Math.floor(silentSeconds)} s`;
}

/** What keeps the event tables from being emptied; nobody waits for it, but the disk fills. */
function heldReason({ queue, nowSeconds, session }: NodeReport): string | null {
  if (queue === null) return null;
  const holder = slowestConsumer(queue);
  const limit = 2 * queue.rotationSeconds;
  if (holder !== undefined && nowSeconds - holder.seconds > limit) {
    return `event tables are kept for ${whoIs(holder.name)}, ${Math.floor(nowSeconds - holder.seconds)} s behind`;
  }
  const seconds = session.oldestTransactionSeconds;
  if (seconds === null || seconds <= limit) return null;
  return `event tables are kept for a transaction open for ${Math.floor(seconds)} s: ${session.oldestTransaction}`;
}

/** The consumers that the cascade and Londiste make have names of their own (spec/cascade.md 2.3). */
function whoIs(consumerName: string): string {
  const [, watermark] = /^\.(.+)\.watermark$/.exec(consumerName) ?? [];
  if (watermark !== undefined) return `node "${watermark}" and those below it`;
  const [, dead] = /^(.+)\.gravestone$/.exec(consumerName) ?? [];
  if (dead !== undefined) return `the dead root "${dead}" until it is resurrected or dropped`;
  const [, worker, table] = /^(.+)\.copy\.(.+)$/.exec(consumerName) ?? [];
  if (table !== undefined) return `the copy of table ${table} for worker "${worker}"`;
  return `consumer "${consumerName}"`;
}

/** The consumer that is furthest behind; the watermarks of the cascade stand for others and are named last. */
function slowestConsumer(
  queue: QueueReport,
): { readonly name: string; readonly seconds: number } | undefined {
  let slowest: { name: string; seconds: number } | undefined;
  const watermarksLast = queue.consumers.toSorted(
    (a, b) => Number(a.consumerName.startsWith(".")) - Number(b.consumerName.startsWith(".")),
  );
  for (const { consumerName, finishedSeconds } of watermarksLast) {
    if (finishedSeconds === null || consumerName === ".global_watermark") continue;
    if (slowest === undefined || finishedSeconds < slowest.seconds) {
      slowest = { name: consumerName, seconds: finishedSeconds };
    }
  }
  return slowest;
}

function notAnswering(workerName: string, isThere: boolean): string {
  return isThere
    ? `worker "${workerName}" has not answered a request yet`
    : `worker "${workerName}" has not answered a request and is not connected to the node's database: is job "${workerName}" running?`;
}

/** @returns the nodes from this one round to itself again, or undefined when the way leads to a root */
function providerCircle(start: NodeReport, reports: Reports): string[] | undefined {
  const passed = [start.node.nodeName];
  let report: NodeReport | undefined = start;
  while (report !== undefined && report.node.nodeType !== "root") {
    const next: string = report.node.providerNode;
    if (next === start.node.nodeName) return [...passed, next];
    if (passed.includes(next)) return undefined;
    passed.push(next);
    report = reports.get(next);
  }
  return undefined;
}
