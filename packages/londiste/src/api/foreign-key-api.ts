import type { Database } from "@skytools/skytools";

/** A foreign key that was taken away for a copy, or is about to be. */
export interface ForeignKey {
  readonly fromTable: string;
  readonly toTable: string;
  readonly name: string;
}

interface ForeignKeyRow {
  from_table: string;
  to_table: string;
  fkey_name: string;
}

function foreignKeys(rows: readonly ForeignKeyRow[]): ForeignKey[] {
  return rows.map((row) => ({ fromTable: row.from_table, toTable: row.to_table, name: row.fkey_name }));
}

/** Foreign keys from or to a table. */
export async function findTableForeignKeys(db: Database, destination: string): Promise<ForeignKey[]> {
  const sql = "select from_table, to_table, fkey_name from londiste.find_table_fkeys($1)";
  return foreignKeys(await db.query<ForeignKeyRow>(sql, [destination]));
}

/** Dropped foreign keys that this queue is to restore now. */
export async function getValidPendingForeignKeys(db: Database, queueName: string): Promise<ForeignKey[]> {
  const sql = "select from_table, to_table, fkey_name from londiste.get_valid_pending_fkeys($1)";
  return foreignKeys(await db.query<ForeignKeyRow>(sql, [queueName]));
}

/** Whether any foreign key waits for its tables, whoever is to restore it. */
export async function hasPendingForeignKeys(db: Database): Promise<boolean> {
  return (await db.queryValue<boolean>("select exists (select from londiste.pending_fkeys)")) === true;
}

/** Drops a foreign key and remembers its definition. */
export async function dropTableForeignKey(db: Database, key: ForeignKey): Promise<void> {
  await db.query("select londiste.drop_table_fkey($1, $2)", [key.fromTable, key.name]);
}

/** One step of the lazy restoration: the statement to run next in the same transaction, or "" when the key is back. */
export async function restoreTableForeignKey(db: Database, key: ForeignKey): Promise<string> {
  const sql = "select londiste.restore_table_fkey($1, $2, true) as statement";
  return (await db.queryOne<{ statement: string | null }>(sql, [key.fromTable, key.name])).statement ?? "";
}
