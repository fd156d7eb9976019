import type { Database } from "@skytools/skytools";

/** Scripts of EXECUTE whose effect is in what a transaction of the source sees, and which the worker of this node has yet to run:
 * they would change the copied rows once more, and columns that they add are not here yet.
 * @param source in the transaction whose snapshot the rows are read in
 * @param workerTick the last tick that the worker has replayed
 * @returns their names */
export async function scriptsAhead(
  source: Database,
  queueName: string,
  workerTick: bigint,
): Promise<readonly string[]> {
  const rows = await source.query<{ name: string }>(pendingSql, [queueName, workerTick]);
  return rows.map(({ name }) => name);
}

// A tick that this snapshot does not see is later than all that it sees. xmin lacks the upper half of a transaction id.
const pendingSql = `
with ticks as (
  select t.tick_id, t.tick_snapshot
    from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue where q.queue_name = $1
), horizon as (
  select txid_snapshot_xmax(txid_current_snapshot()) as txid
), scripts as (
  select a.execute_file as name, a.execute_time,
         case when (h.txid >> 32 << 32) + a.xmin::text::int8 > h.txid then (h.txid >> 32 << 32) + a.xmin::text::int8 - 4294967296
              else (h.txid >> 32 << 32) + a.xmin::text::int8 end as txid
    from londiste.applied_execute a cross join horizon h where a.queue_name = $1
)
select s.name from scripts s
 where $2::int8 <= (select max(tick_id) from ticks)
   and not exists (select from ticks t where t.tick_id = $2::int8 and txid_visible_in_snapshot(s.txid, t.tick_snapshot))
 order by s.execute_time, s.name`;
