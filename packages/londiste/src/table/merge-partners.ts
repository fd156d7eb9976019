import type { Database } from "@skytools/skytools";

/** A registration of the same local table in another queue. */
export interface MergePartner {
  readonly queueName: string;
  /** set name there */
  readonly name: string;
  readonly storedState: string | null;
  /** its copy has emptied the table, and what it has loaded is there without being whole */
  readonly isLoading: boolean;
}

/** The other queues of this database whose rows go into a local table too: leaves of the same combined queue, or, without one,
 * all leaves. The combined queue itself is none of them, it gets its rows by them.
 * @param destination the local table
 * Source: spec/londiste.md 6.2 "Leaf merging" */
export async function mergePartners(
  db: Database,
  queueName: string,
  destination: string,
): Promise<MergePartner[]> {
  return db.query<{ queueName: string; name: string; storedState: string | null; isLoading: boolean }>(
    `select t.queue_name as "queueName", t.table_name as name, t.merge_state as "storedState",
            t.dropped_ddl is not null and t.merge_state = 'in-copy' as "isLoading"
       from londiste.table_info t
       join pgq_node.node_info n on (n.queue_name = t.queue_name)
       join pgq_node.node_info own on (own.queue_name = $1)
      where t.queue_name <> $1 and t.local and n.node_type = 'leaf' and own.node_type = 'leaf'
        and n.combined_queue is not distinct from own.combined_queue
        and coalesce(t.dest_table, t.table_name) = $2
      order by t.queue_name collate "C"`,
    [queueName, destination],
  );
}

/** The other queues of this database that a table could be merged out of, whether they have it or not: leaves as above. */
export async function siblingQueues(db: Database, queueName: string): Promise<readonly string[]> {
  const rows = await db.query<{ name: string }>(
    `select n.queue_name as name
       from pgq_node.node_info own
       join pgq_node.node_info n on (n.queue_name <> own.queue_name and n.node_type = 'leaf'
                                     and n.combined_queue is not distinct from own.combined_queue)
      where own.queue_name = $1 and own.node_type = 'leaf'
      order by n.queue_name collate "C"`,
    [queueName],
  );
  return rows.map(({ name }) => name);
}
