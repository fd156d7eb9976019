import type { Database } from "@skytools/skytools";

/** A foreign key that waits to be brought back, and why. */
export interface PendingForeignKey {
  readonly name: string;
  readonly fromTable: string;
  readonly toTable: string;
  /** the statement that brings it back */
  readonly definition: string;
  /** empty: nothing stands against it */
  readonly reasons: readonly string[];
}

interface PendingRow {
  fkey_name: string;
  from_table: string;
  to_table: string;
  fkey_def: string;
}

interface EndRow {
  name: string;
  exists: boolean;
  queues: string[];
  waiting: string[];
}

/** All of the database. A key comes back when both its tables are replicated here, in sync, and past their copy snapshots.
 * Source: spec/londiste.md 8.6, spec/sql-node-londiste.md 7.6 */
export async function pendingForeignKeys(db: Database): Promise<PendingForeignKey[]> {
  const rows = await db.query<PendingRow>(
    "select fkey_name, from_table, to_table, fkey_def from londiste.pending_fkeys order by 2, 3, 1",
  );
  const names = [...new Set(rows.flatMap((row) => [row.from_table, row.to_table]))];
  const ends = new Map((await endsOf(db, names)).map((end) => [end.name, end]));
  return rows.map((row) => ({
    name: row.fkey_name,
    fromTable: row.from_table,
    toTable: row.to_table,
    definition: row.fkey_def,
    reasons: [...new Set([row.from_table, row.to_table])].flatMap((name) => reasons(name, ends.get(name))),
  }));
}

async function endsOf(db: Database, names: readonly string[]): Promise<EndRow[]> {
  return db.query<EndRow>(
    `select n.name, londiste.find_table_oid(n.name) is not null as exists,
            array(select t.queue_name from londiste.table_info t
                   where t.local and coalesce(t.dest_table, t.table_name) = n.name order by 1) as queues,
            array(select format('%s is %s in queue %s', n.name, coalesce(t.merge_state, 'not copied yet'), t.queue_name)
                    from londiste.table_info t
                   where t.local and coalesce(t.dest_table, t.table_name) = n.name and t.merge_state is distinct from 'ok'
                  union all
                  select format('%s still has a copy snapshot in queue %s', n.name, t.queue_name)
                    from londiste.table_info t
                   where t.local and coalesce(t.dest_table, t.table_name) = n.name and t.merge_state = 'ok'
                     and t.custom_snapshot is not null) as waiting
       from unnest($1::text[]) as n(name)`,
    [[...names]],
  );
}

function reasons(name: string, end: EndRow | undefined): string[] {
  if (end === undefined || !end.exists) return [`${name} does not exist`];
  if (end.queues.length === 0) return [`${name} is not replicated here`];
  return end.waiting;
}
