import type { Database } from "@skytools/skytools";
import { quoteIdent } from "@skytools/skytools";

/** Settings that hold for the session, by name, and the role it acts in. */
export interface SessionSettings {
  readonly values: ReadonlyMap<string, string>;
  readonly role: string;
}

/** What a script may leave behind with SET: scripts out of pg_dump empty search_path, for example. */
export async function sessionSettings(db: Database): Promise<SessionSettings> {
  const rows = await db.query<{ name: string; value: string }>(
    `select name, current_setting(name) as value from pg_catalog.pg_settings
      where source = 'session' and context in ('user', 'superuser') and name not in ('session_replication_role', 'transaction_isolation',
            'transaction_read_only', 'transaction_deferrable', 'lock_timeout')`,
  );
  const role = (await db.queryValue<string>("select current_setting('role')")) ?? "none";
  return { values: new Map(rows.map((row) => [row.name, row.value])), role };
}

/** Brings the session back to what it was: what comes next in it does not expect a script's settings. */
export async function restoreSettings(db: Database, before: SessionSettings): Promise<void> {
  const after = await sessionSettings(db);
  if (after.role !== before.role) {
    await db.execute(before.role === "none" ? "reset role" : `set role ${quoteIdent(before.role)}`);
  }
  for (const [name, value] of after.values) {
    const old = before.values.get(name);
    if (old === value) continue;
    if (old === undefined) await db.execute(`reset ${name.split(".").map(quoteIdent).join(".")}`);
    else await db.query("select set_config($1, $2, false)", [name, old]);
  }
}
