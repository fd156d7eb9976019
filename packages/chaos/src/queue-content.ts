import { waitFor } from "@skytools/testbed";
import type { NodeKey } from "./cascade-model.ts";
import { jobName, queueName } from "./configuration.ts";
import type { SetDatabases } from "./set-databases.ts";

export interface QueuedTick {
  readonly id: bigint;
  /** microseconds since 1970 */
  readonly time: bigint;
  readonly eventSeq: bigint;
}

export interface QueuedEvent {
  readonly id: bigint;
  /** The tick that ends its batch; undefined: there is none yet. Before the first tick that is left it is that. */
  readonly tick: bigint | undefined;
  /** A message of workers to each other, which may be on its way. */
  readonly isMessage: boolean;
  /** All that it consists of. */
  readonly line: string;
}

/** What is left of a node's queue. */
export interface QueueContent {
  /** by id */
  readonly ticks: readonly QueuedTick[];
  /** by id */
  readonly events: readonly QueuedEvent[];
}

/** Number of events that were ever written to the queue. */
export async function countEvents(databases: SetDatabases, root: NodeKey): Promise<number> {
  const [row] = await databases.query<{ count: string }>(
    root,
    "select (pgq.seq_getval(queue_event_seq))::text as count from pgq.queue where queue_name = $1",
    [queueName],
  );
  return Number(row!.count);
}

/** Reads a queue that nobody but the workers writes to, when it has the tick that the node's own worker has come to: a branch makes
 * that after the batch. */
export async function readQueue(databases: SetDatabases, key: NodeKey): Promise<QueueContent> {
  await waitFor(`${key} to have the tick of its worker`, async () => {
    const [row] = await databases.query<{ is_there: boolean }>(
      key,
      `select exists (select from pgq.tick join pgq.queue on queue_id = tick_queue
                       where queue_name = l.queue_name and tick_id >= l.last_tick_id) as is_there
         from pgq_node.local_state l where queue_name = $1 and consumer_name = $2`,
      [queueName, jobName(key)],
    );
    return row?.is_there;
  });
  const [queue] = await databases.query<{ id: number; table: string }>(
    key,
    "select queue_id as id, queue_data_pfx as table from pgq.queue where queue_name = $1",
    [queueName],
  );
  const { id, table } = queue!;
  const ticks = await databases.query<{ id: string; time: string; seq: string }>(
    key,
    `select tick_id::text as id, (extract(epoch from tick_time) * 1000000)::int8::text as time, tick_event_seq::text as seq
       from pgq.tick where tick_queue = $1 order by tick_id`,
    [id],
  );
  const events = await databases.query<{
    id: string;
    tick: string | null;
    is_message: boolean;
    line: string;
  }>(
    key,
    `with tick as materialized (
       select tick_id, tick_snapshot, txid_snapshot_xmax(tick_snapshot) as xmax from pgq.tick where tick_queue = $1),
     batch as materialized (
       select ev_txid, (select t.tick_id from tick t where t.xmax > ev_txid and txid_visible_in_snapshot(ev_txid, t.tick_snapshot)
                         order by t.tick_id limit 1) as tick_id
         from (select distinct ev_txid from ${table}) e)
     select ev_id::text as id, tick_id::text as tick, ev_type like 'pgq.%' as is_message,
            concat_ws(' ', ev_id, ev_type, left(ev_data, 60), md5(row(ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)::text)) as line
       from ${table} join batch using (ev_txid) order by ev_id`,
    [id],
  );
  return {
    ticks: ticks.map((row) => ({ id: BigInt(row.id), time: BigInt(row.time), eventSeq: BigInt(row.seq) })),
    events: events.map((row) => ({
      id: BigInt(row.id),
      tick: row.tick === null ? undefined : BigInt(row.tick),
      isMessage: row.is_message,
      line: row.line,
    })),
  };
}
