import type { Database } from "@skytools/skytools";
import type { Finding } from "../plan.ts";
import type { LiveMember } from "../set-state.ts";

/** The newest tick, not after a given one, that two nodes of a queue have in common: same id and same time. A node that was
 * restored from an older state may since have used ids that mean something else on the other.
 * @returns undefined when there is none any more
 * Both are left without an open transaction. */
export async function newestSharedTick(
  here: Database,
  there: Database,
  queueName: string,
  notAfter: bigint,
): Promise<bigint | undefined> {
  const own = await here.query<{ id: bigint; time: string }>(
    `select t.tick_id as id, extract(epoch from t.tick_time)::text as time
       from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue
      where q.queue_name = $1 and t.tick_id <= $2::int8`,
    [queueName, notAfter],
  );
  await here.commit();
  const shared = await there.queryValue<bigint | null>(
    `select max(t.tick_id)
       from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue
       join unnest($2::int8[], $3::numeric[]) as o (id, "time")
         on o.id = t.tick_id and o."time" = extract(epoch from t.tick_time)
      where q.queue_name = $1`,
    [queueName, own.map(({ id }) => id), own.map(({ time }) => time)],
  );
  await there.commit();
  return shared ?? undefined;
}

export function nothingShared(self: LiveMember, provider: LiveMember): Finding {
  return {
    kind: "refusal",
    text: `"${self.nodeName}" and "${provider.nodeName}" have no tick in common any more`,
    hint: "Drop the node and create it anew.",
  };
}
