import type { NodeReport, QueueConsumer } from "./node-report.ts";

/** The lag of a node, in parts that add up to it. Seconds; never negative. */
export interface LagLegs {
  /** age of the newest tick on the provider: what was captured since waits for a tick, or has not come down to the provider */
  readonly captureToTickSeconds: number;
  /** between the newest tick of the provider and the batch that the worker has opened */
  readonly tickToFetchSeconds: number;
  /** between the opened batch and the one that is finished */
  readonly fetchToApplySeconds: number;
}

/** Reports of the nodes that answered, by name. */
export type Reports = ReadonlyMap<string, NodeReport>;

/** Age of the newest tick on a root; elsewhere the age, by the root's clock, of what the node has finished on its provider.
 * @returns null when that is not known
 * Source: spec/cascade.md 11.1 */
export function lagSeconds(report: NodeReport, reports: Reports): number | null {
  if (report.node.nodeType === "root") {
    const newest = report.queue?.newestTickSeconds;
    return newest == null ? null : age(report.nowSeconds, newest);
  }
  const place = placeOnProvider(report, reports);
  return place?.consumer.finishedSeconds == null
    ? null
    : age(rootClock(place.provider, reports), place.consumer.finishedSeconds);
}

/** @returns null on a root and when the provider is not known */
export function lagLegs(report: NodeReport, reports: Reports): LagLegs | null {
  if (report.node.nodeType === "root") return null;
  const place = placeOnProvider(report, reports);
  const newest = place?.provider.queue?.newestTickSeconds;
  if (place?.consumer.finishedSeconds == null || newest == null) return null;
  const { finishedSeconds } = place.consumer;
  const fetchedSeconds = place.consumer.fetchedSeconds ?? finishedSeconds;
  return {
    captureToTickSeconds: age(rootClock(place.provider, reports), newest),
    tickToFetchSeconds: age(newest, fetchedSeconds),
    fetchToApplySeconds: age(fetchedSeconds, finishedSeconds),
  };
}

/** A node as its provider sees it. */
export function placeOnProvider(
  { node }: NodeReport,
  reports: Reports,
): { readonly provider: NodeReport; readonly consumer: QueueConsumer } | undefined {
  const provider = reports.get(node.providerNode);
  const consumer = provider?.queue?.consumers.find(({ consumerName }) => consumerName === node.workerName);
  return provider === undefined || consumer === undefined ? undefined : { provider, consumer };
}

function rootClock(start: NodeReport, reports: Reports): number {
  let report = start;
  for (let steps = 0; steps < reports.size && report.node.nodeType !== "root"; steps += 1) {
    const above = reports.get(report.node.providerNode);
    if (above === undefined) break;
    report = above;
  }
  return report.nowSeconds;
}

function age(nowSeconds: number, thenSeconds: number): number {
  return Math.max(0, nowSeconds - thenSeconds);
}
