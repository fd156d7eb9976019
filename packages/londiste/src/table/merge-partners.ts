import type { Database } from "@skytools/skytools";

/** Another registration of the same local table. */
export interface MergePartner {
  readonly queueName: string;
  /** set name */
  readonly name: string;
  readonly storedState: string | null;
  /** its copy has emptied the table, and what it has loaded is there without being whole */
  readonly isLoading: boolean;
}

/** The other tables of sets whose rows go into a local table too: those of the same queue, and of other queues of this database that
 * are leaves of the same combined queue, or, without one, all leaves. The combined queue itself is none of them, it gets its
 * rows by them.
 * @param name set name of the table that is asked for
 * @param destination the local table
 * Source: spec/londiste.md 6.2 "Leaf merging" */
export async function mergePartners(
  db: Database,
  queueName: string,
  { name, destination }: { readonly name: string; readonly destination: string },
): Promise<MergePartner[]> {
  return db.query<{ queueName: string; name: string; storedState: string | null; isLoading: boolean }>(
    `select t.queue_name as "queueName", t.table_name as name, t.merge_state as "storedState",
            t.dropped_ddl is not null and t.merge_state = 'in-copy' as "isLoading"
       from londiste.table_info t
       join pgq_node.node_info n on (n.queue_name = t.queue_name)
       join pgq_node.node_info own on (own.queue_name = $1)
      where (t.queue_name, t.table_name) <> ($1, $3) and t.local
        and (t.queue_name = $1
             or (n.node_type = 'leaf' and own.node_type = 'leaf' and n.combined_queue is not distinct from own.combined_queue))
        and coalesce(t.dest_table, t.table_name) = $2
      order by t.queue_name collate "C", t.table_name collate "C"`,
    [queueName, destination, name],
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
