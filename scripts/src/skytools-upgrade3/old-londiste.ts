import { type Database, quoteIdent } from "@skytools/skytools";

interface OldTable {
  readonly table: string;
  readonly column: string;
  readonly command: string;
}

/** Where Londiste 2 registers what it replicates, and the commands that register it in Londiste 3. */
const oldTables: readonly OldTable[] = [
  { table: "provider_table", column: "table_name", command: "add-table" },
  { table: "provider_seq", column: "seq_name", command: "add-seq" },
  { table: "subscriber_table", column: "table_name", command: "add-table --expect-sync" },
  { table: "subscriber_seq", column: "seq_name", command: "add-seq" },
];

/** What an operator has to do to go on with Londiste 3: its tables stand beside those of Londiste 2, which has no nodes that
 * an upgrade could keep.
 * Source: spec/scripts.md 11.2 */
export async function oldLondisteSteps(db: Database): Promise<string> {
  const steps: string[] = [];
  for (const { table, column, command } of oldTables) {
    const isThere = await db.queryValue<boolean>(
      `select count(*) = 2 from pg_attribute
        where attrelid = to_regclass('londiste.' || $1) and attname in ('queue_name', $2)`,
      [table, column],
    );
    if (isThere !== true) continue;
    const rows = await db.query<{ queue: string; names: string }>(
      `select queue_name as queue, string_agg(${quoteIdent(column)}, ' ' order by ${quoteIdent(column)}) as names
         from londiste.${quoteIdent(table)} group by 1 order by 1`,
    );
    for (const { queue, names } of rows) steps.push(`queue ${queue}: ${command} ${names}`);
  }
  const then = steps.length === 0 ? "" : `; there was ${steps.join("; ")}`;
  return `Londiste 2 keeps its tables; let its replay end, create nodes with londiste3 create-root and create-leaf, add tables${then}`;
}
