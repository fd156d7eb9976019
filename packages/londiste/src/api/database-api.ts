import type { Database } from "@skytools/skytools";

/** Something that is in the database (on a root) or in the set (elsewhere) and not replicated here. */
export interface MissingObject {
  readonly kind: "r" | "S" | "p";
  readonly name: string;
}

export async function localShowMissing(db: Database, queueName: string): Promise<MissingObject[]> {
  const rows = await db.query<{ obj_kind: MissingObject["kind"]; obj_name: string }>(
    "select obj_kind, obj_name from londiste.local_show_missing($1)",
    [queueName],
  );
  return rows.map((row) => ({ kind: row.obj_kind, name: row.obj_name }));
}

/** Sets the replication role through the helper that an unprivileged worker may be granted. */
export async function setReplicationRole(
  db: Database,
  role: "replica" | "local" | "origin",
  isLocal: boolean,
): Promise<void> {
  await db.query("select londiste.set_session_replication_role($1, $2)", [role, isLocal]);
}

/** True when the ordinary table (or partitioned table) exists. */
export async function tableExists(db: Database, name: string): Promise<boolean> {
  const sql = "select londiste.find_table_oid($1) is not null as found";
  return (await db.queryOne<{ found: boolean }>(sql, [name])).found;
}

export async function sequenceExists(db: Database, name: string): Promise<boolean> {
  const sql = "select londiste.find_seq_oid($1) is not null as found";
  return (await db.queryOne<{ found: boolean }>(sql, [name])).found;
}
