import type { NodeKey } from "./cascade-model.ts";
import { queueName } from "./configuration.ts";
import type { Stage } from "./stage.ts";

interface QueuedEvent extends Record<string, unknown> {
  id: string;
  line: string;
}

/** Events of a branch against those of the root, from the first that both still have to the last that the branch has. The
 * messages of workers to each other are left out: they may be on their way. */
export async function findQueueDifferences(stage: Stage, root: NodeKey, branch: NodeKey): Promise<string[]> {
  const [expected, found] = [await eventsOf(stage, root), await eventsOf(stage, branch)];
  const starts = [expected, found].map((events) => BigInt(events[0]?.id ?? "0"));
  const first = starts[starts[0]! > starts[1]! ? 0 : 1]!;
  const [wanted, here] = [expected, found].map((events) => events.filter(({ id }) => BigInt(id) >= first));
  const at = wanted!.findIndex((event, nr) => event.line !== here![nr]?.line);
  if (at >= 0) {
    return [`queue of ${branch}: ${here![at]?.line ?? "nothing"} where the root has ${wanted![at]!.line}`];
  }
  if (here!.length > wanted!.length) return [`queue of ${branch}: more events than on the root`];
  return [];
}

async function eventsOf(stage: Stage, key: NodeKey): Promise<QueuedEvent[]> {
  const [queue] = await stage.query<{ table: string }>(
    key,
    "select queue_data_pfx as table from pgq.queue where queue_name = $1",
    [queueName],
  );
  return stage.query<QueuedEvent>(
    key,
    `select ev_id::text as id,
            concat_ws(' ', ev_id, ev_type, left(ev_data, 60), md5(row(ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)::text)) as line
       from ${queue!.table} where ev_type not like 'pgq.%' order by ev_id`,
  );
}

/** Number of events that were ever written to the queue. */
export async function countEvents(stage: Stage, root: NodeKey): Promise<number> {
  const [row] = await stage.query<{ count: string }>(
    root,
    "select (pgq.seq_getval(queue_event_seq))::text as count from pgq.queue where queue_name = $1",
    [queueName],
  );
  return Number(row!.count);
}
