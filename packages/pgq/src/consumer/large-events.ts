import type { Database } from "@skytools/skytools";

/** Whether a queue holds events that do not fit into a page of their table, which the server stores apart from it. Without
 * such, a block of events is small whatever comes next.
 * Source: PostgreSQL manual, "TOAST" */
export async function holdsLargeEvents(db: Database, queueName: string): Promise<boolean> {
  const bytes = await db.queryValue<bigint | null>(
    `select sum(pg_relation_size(t.reltoastrelid))::int8
       from pgq.queue q
       join pg_catalog.pg_inherits i on i.inhparent = pgq.quote_fqname(q.queue_data_pfx)::regclass
       join pg_catalog.pg_class t on t.oid = i.inhrelid
      where q.queue_name = $1 and t.reltoastrelid <> 0`,
    [queueName],
  );
  return bytes !== null && bytes !== undefined && bytes > 0n;
}
