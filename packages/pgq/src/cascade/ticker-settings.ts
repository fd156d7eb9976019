import type { Database } from "@skytools/skytools";
import { getQueueInfo, type QueueInfo, setQueueConfig } from "../pgq-api.ts";

const settings: ReadonlyMap<string, (queue: QueueInfo) => string> = new Map([
  ["ticker_max_count", ({ tickerMaxCount }) => String(tickerMaxCount)],
  ["ticker_max_lag", ({ tickerMaxLag }) => tickerMaxLag],
  ["ticker_idle_period", ({ tickerIdlePeriod }) => tickerIdlePeriod],
]);

/** Gives a branch's queue the ticker settings of its provider's: they mean nothing there until the branch is promoted, and then the
 * former root can perhaps not be asked. How long a queue keeps its events is every node's own business. Leaves no transaction open. */
export async function adoptTickerSettings(
  source: Database,
  target: Database,
  queueName: string,
): Promise<void> {
  const [theirs] = await source.autocommitted(() => getQueueInfo(source, queueName));
  const [own] = await target.autocommitted(() => getQueueInfo(target, queueName));
  if (theirs === undefined || own === undefined) return;
  await target.transaction(async () => {
    for (const [parameter, textOf] of settings) {
      const value = textOf(theirs);
      if (value !== textOf(own)) await setQueueConfig(target, queueName, parameter, value);
    }
  });
}
