import type { Database } from "@skytools/skytools";
import { countEvents, type QueuePart, queuePart } from "../replay/queue-part.ts";

/** What follows the position of a table's copy. */
export interface EventsAhead {
  /** the newest tick, or the worker's when the newest is far */
  readonly tickId: bigint;
  /** events of the table up to there */
  readonly count: number;
}

/** Where to look. */
export interface CopyDistance {
  readonly queueName: string;
  /** set-wide name */
  readonly table: string;
  /** last tick that the copy has completed */
  readonly position: bigint;
  /** the worker's, later than that */
  readonly workerPosition: bigint;
}

/** Counting reads the events of all tables: in a longer range the worker would be gone from there when
 * it is done. */
const mostEventIds = 100_000n;

/** Looks whether the newest tick, or else the worker's, is within a copy's reach. The worker goes on from tick to tick, and a table of
 * which there is little to replay need not follow.
 * @param most how many events are little
 * @returns undefined when there are more, or when it cannot be told, or not soon */
export async function eventsAhead(
  source: Database,
  distance: CopyDistance,
  most: number,
): Promise<EventsAhead | undefined> {
  const { table, workerPosition } = distance;
  const part = (await shortPart(source, distance)) ?? (await shortPart(source, distance, workerPosition));
  if (part === undefined) return undefined;
  const count = await countEvents(source, part, table, most);
  return count > most ? undefined : { tickId: part.tickId, count };
}

async function shortPart(
  source: Database,
  { queueName, position }: CopyDistance,
  lastTick?: bigint,
): Promise<QueuePart | undefined> {
  const part = await queuePart(source, queueName, position, lastTick);
  return part === undefined || (part.eventIds ?? 0n) > mostEventIds ? undefined : part;
}
