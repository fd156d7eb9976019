import type { Database, Log } from "@skytools/skytools";

/** A table that was truncated on the source. */
export interface EmptiedTable {
  /** plain, for messages */
  readonly name: string;
  /** quoted, with ONLY where children replicate by themselves */
  readonly target: string;
  /** quoted, without ONLY */
  readonly sqlName: string;
}

/** Empties tables and nothing else. What one TRUNCATE has emptied on the source is truncated together, so that foreign keys among
 * these tables do not matter. A table that others refer to, which stay as they are, cannot be truncated: its rows are deleted, as
 * if each had been deleted on the source. CASCADE would empty tables of this node that nobody has touched. */
export async function emptyTables(
  target: Database,
  log: Log,
  tables: readonly EmptiedTable[],
): Promise<void> {
  const references = await referencesTo(target, tables);
  const truncated = new Set(tables);
  for (;;) {
    const hindered = [...truncated].find((table) => isReferredFromOutside(references, table, truncated));
    if (hindered === undefined) break;
    truncated.delete(hindered);
  }
  for (const table of tables) {
    if (truncated.has(table)) continue;
    log.info(`${table.name}: deleting all rows, a table that stays refers to it`);
    await target.execute(`delete from ${table.target}`);
  }
  if (truncated.size === 0) return;
  log.debug(`truncating ${[...truncated].map((table) => table.name).join(", ")}`);
  await target.execute(`truncate ${[...truncated].map((table) => table.target).join(", ")}`);
}

interface Reference {
  readonly from: string;
  readonly to: string;
}

function isReferredFromOutside(
  references: readonly Reference[],
  { sqlName }: EmptiedTable,
  inside: ReadonlySet<EmptiedTable>,
): boolean {
  const names = new Set([...inside].map((table) => table.sqlName));
  return references.some(({ from, to }) => to === sqlName && !names.has(from));
}

/** Foreign keys to the tables and their partitions. One of a partition counts as one of its table where that is emptied too. */
function referencesTo(target: Database, tables: readonly EmptiedTable[]): Promise<Reference[]> {
  return target.query<Reference>(
    `with emptied as (select name, name::regclass as oid from unnest($1::text[]) as name)
     select t.name as "to",
            coalesce((select e.name from emptied e
                       where e.oid = c.conrelid or e.oid in (select a.relid from pg_partition_ancestors(c.conrelid) a) limit 1),
                     c.conrelid::regclass::text) as "from"
       from emptied t
       join pg_catalog.pg_constraint c on c.contype = 'f' and c.conparentid = 0
        and c.confrelid in (select t.oid union all select p.relid from pg_partition_tree(t.oid) p)`,
    [tables.map((table) => table.sqlName)],
  );
}
