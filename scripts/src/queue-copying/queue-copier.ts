import type { EventList } from "@skytools/pgq";
import { type ConfigError, type Database, SkytoolsError } from "@skytools/skytools";

/** A batch as those get it who copy its events into queues. */
export interface BatchToCopy {
  readonly events: EventList;
  /** Whether a queue of the target is the one that is read. */
  readonly isOwnQueue: (name: string) => Promise<boolean>;
}

/** Copies the events of batches into queues, however the batches are read. */
export interface QueueCopier {
  /** the queue that the configuration names as a target, and what to say when it is the one that is read */
  fixedQueue(): { readonly name: string; readonly refusal: ConfigError } | undefined;
  /** Copies one batch within the open transaction of `target`. */
  copy(batch: BatchToCopy, target: Database): Promise<void>;
}

export const roundForEver = "is the source itself, its events would go round for ever";

/** The error for events that are to go into the queue that they come from.
 * @param what what leads there */
export function ownQueueError(what: string, hint: string): SkytoolsError {
  return new SkytoolsError("OWN_QUEUE", `${what} ${roundForEver}`, { retry: "later", hint });
}

/** A condition over the event columns that leaves out what nodes of a cascaded queue tell each other: in another queue it would be
 * taken for that one's.
 * @param where further condition, raw SQL */
export function withoutCascadeEvents(where: string | undefined): string {
  const condition = "coalesce(ev_type, '') not like 'pgq.%'";
  return where === undefined ? condition : `${condition} and (${where})`;
}
