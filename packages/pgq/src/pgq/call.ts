import type { Database } from "@skytools/skytools";

/** Calls a function whose result the SQL names `value`. */
export async function call<T>(db: Database, sql: string, parameters: readonly unknown[]): Promise<T> {
  const row = await db.queryOne<{ value: T }>(sql, parameters);
  return row.value;
}

export async function callInt(db: Database, sql: string, parameters: readonly unknown[]): Promise<number> {
  return call<number>(db, sql, parameters);
}
