import { waitFor } from "@skytools/testbed";
import { queueName } from "./nodes.ts";
import type { Session } from "./session.ts";

export interface ConsumerPosition {
  readonly lastTick: bigint;
  readonly pendingEvents: bigint;
  readonly lagSeconds: number;
}

/** How far a consumer of the provider's queue is. Source: pgq.get_consumer_info(text, text). */
export async function consumerPosition(provider: Session, consumer: string): Promise<ConsumerPosition> {
  const [row] = await provider.run<{ last_tick: string; pending_events: string; lag: string }>(
    `select last_tick, pending_events, extract(epoch from lag) as lag from pgq.get_consumer_info($1, $2)`,
    [queueName, consumer],
  );
  if (row === undefined) throw new Error(`consumer ${consumer} is not registered on queue ${queueName}`);
  return {
    lastTick: BigInt(row.last_tick),
    pendingEvents: BigInt(row.pending_events),
    lagSeconds: Number(row.lag),
  };
}

async function newestTick(provider: Session): Promise<bigint> {
  const [row] = await provider.run<{ last_tick_id: string }>(
    "select last_tick_id from pgq.get_queue_info($1)",
    [queueName],
  );
  if (row === undefined) throw new Error(`queue ${queueName} does not exist`);
  return BigInt(row.last_tick_id);
}

/** Waits for a tick that comes after everything committed until now. The ticker must run.
 * @returns its id */
export async function nextTick(provider: Session): Promise<bigint> {
  // A tick that is being made now may have looked at the queue before that: the one after it has not.
  await oneMoreTick(provider);
  return await oneMoreTick(provider);
}

async function oneMoreTick(provider: Session): Promise<bigint> {
  const before = await newestTick(provider);
  await provider.run("select pgq.force_tick($1)", [queueName]);
  return waitFor(
    "a tick",
    async () => {
      const tick = await newestTick(provider);
      return tick > before && tick;
    },
    { isErrorFinal: true },
  );
}

/** Waits until the consumer has finished the batch that ends with the tick. */
export async function waitForPosition(
  provider: Session,
  consumer: string,
  tick: bigint,
  onPoll: (position: ConsumerPosition) => void,
): Promise<void> {
  await waitFor(
    `${consumer} to reach tick ${tick}`,
    async () => {
      const position = await consumerPosition(provider, consumer);
      onPoll(position);
      return position.lastTick >= tick;
    },
    { timeoutMs: 120_000, intervalMs: 100, isErrorFinal: true },
  );
}
