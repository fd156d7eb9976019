import { type NodeKey, queueNodes } from "./cascade-model.ts";
import { queueName, rotationSeconds } from "./configuration.ts";
import type { RotatedAway } from "./queue-differences.ts";
import type { SetDatabases } from "./set-databases.ts";

/** The event tables of a queue, at a moment of rest. */
export interface EventTables {
  /** number of the one that is written to */
  readonly current: number;
  /** when that began; microseconds since 1970 */
  readonly switchTime: bigint;
  /** highest event id of each; undefined: empty */
  readonly lastIds: readonly (bigint | undefined)[];
}

/** What rotation has taken from each queue since the beginning. */
export class Rotations {
  readonly #tables = new Map<NodeKey, EventTables>();
  readonly #eventsBelow = new Map<NodeKey, bigint>();
  #ticksBelow = 0n;

  /** Looks at all queues. Nobody but the workers may write since the set has settled. What was there the first time counts as taken:
   * branches may have begun anywhere. */
  async note(databases: SetDatabases): Promise<void> {
    const isFirst = this.#tables.size === 0;
    const before = new Map(this.#tables);
    for (const key of queueNodes) this.#tables.set(key, await eventTables(databases, key));
    if (isFirst)
      for (const key of queueNodes)
        this.#ticksBelow = later(this.#ticksBelow, await nextTick(databases, key));
    const found = [...this.#tables.values()].flatMap(({ lastIds }) => lastIds);
    for (const [key, now] of this.#tables) {
      const taken = isFirst ? found : takenSince(before.get(key)!, now);
      this.#eventsBelow.set(
        key,
        taken.reduce<bigint>((floor, id) => later(floor, (id ?? -1n) + 1n), this.#eventsBelow.get(key) ?? 0n),
      );
    }
  }

  /** What one queue or the other may lack. */
  between(one: NodeKey, other: NodeKey): RotatedAway {
    return {
      ticksBelow: this.#ticksBelow,
      eventsBelow: later(this.#eventsBelow.get(one)!, this.#eventsBelow.get(other)!),
      ticksUntil: later(this.#tables.get(one)!.switchTime, this.#tables.get(other)!.switchTime),
    };
  }
}

/** Highest event ids of the tables that were truncated between two looks. When all may have been, that includes the oldest table that
 * is left: ids of events at its beginning may be in the one before, too. */
export function takenSince(before: EventTables, now: EventTables): readonly (bigint | undefined)[] {
  const count = before.lastIds.length;
  const next = (nr: number) => (nr + 1) % count;
  const mostTimes = Number(now.switchTime - before.switchTime) / (rotationSeconds * 1_000_000);
  if (mostTimes >= count) return [...before.lastIds, now.lastIds[next(now.current)]];
  const taken: (bigint | undefined)[] = [];
  for (let nr = before.current; nr !== now.current; nr = next(nr)) taken.push(before.lastIds[next(nr)]);
  return taken;
}

async function eventTables(databases: SetDatabases, key: NodeKey): Promise<EventTables> {
  for (;;) {
    const queue = await queueRow(databases, key);
    const lastIds: (bigint | undefined)[] = [];
    for (let nr = 0; nr < queue.tables; nr += 1) {
      const [row] = await databases.query<{ id: string | null }>(
        key,
        `select max(ev_id)::text as id from ${queue.prefix}_${nr}`,
      );
      lastIds.push(row!.id === null ? undefined : BigInt(row!.id));
    }
    // Switched meanwhile: what was read may be of either side.
    if ((await queueRow(databases, key)).switched !== queue.switched) continue;
    return { current: queue.current, switchTime: BigInt(queue.switched), lastIds };
  }
}

async function nextTick(databases: SetDatabases, key: NodeKey): Promise<bigint> {
  const [row] = await databases.query<{ id: string }>(
    key,
    "select (max(tick_id) + 1)::text as id from pgq.tick join pgq.queue on queue_id = tick_queue where queue_name = $1",
    [queueName],
  );
  return BigInt(row!.id);
}

interface QueueRow extends Record<string, unknown> {
  current: number;
  tables: number;
  prefix: string;
  switched: string;
}

async function queueRow(databases: SetDatabases, key: NodeKey): Promise<QueueRow> {
  const [row] = await databases.query<QueueRow>(
    key,
    `select queue_cur_table as current, queue_ntables as tables, queue_data_pfx as prefix,
            (extract(epoch from queue_switch_time) * 1000000)::int8::text as switched
       from pgq.queue where queue_name = $1`,
    [queueName],
  );
  return row!;
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
