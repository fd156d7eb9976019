import type { Database } from "@skytools/skytools";
import { countEvents, queuePart } from "../replay/queue-part.ts";

/** What follows the position of a table's copy. */
export interface EventsAhead {
  /** the newest tick */
  readonly tickId: bigint;
  /** events of the table up to there */
  readonly count: number;
}

/** Looks whether the newest tick is within a copy's reach. The worker goes on from tick to tick, and a table of which there is little to
 * replay need not follow.
 * @param most how many events are little
 * @returns undefined when there are more, or when it cannot be told */
export async function eventsAhead(
  source: Database,
  queueName: string,
  table: string,
  position: bigint,
  most: number,
): Promise<EventsAhead | undefined> {
  const part = await queuePart(source, queueName, position);
  if (part === undefined) return undefined;
  const count = await countEvents(source, part, table, most);
  return count > most ? undefined : { tickId: part.tickId, count };
}
