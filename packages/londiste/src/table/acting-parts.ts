import type { Database, Log } from "@skytools/skytools";

/** What of a table acts on replayed changes where the worker may not set session_replication_role. */
export interface ActingParts {
  readonly triggers: readonly string[];
  readonly foreignKeys: readonly string[];
}

// Foreign keys that are off until tables are copied count, too.
const partsSql = `
select array(select t.tgname::text from pg_catalog.pg_trigger t
              where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled in ('O', 'A')
              order by 1) as triggers,
       array(select k.conname::text from pg_catalog.pg_constraint k
              where c.oid in (k.conrelid, k.confrelid) and k.contype = 'f'
             union
             select p.fkey_name from londiste.pending_fkeys p where $1 in (p.from_table, p.to_table)
              order by 1) as foreign_keys
  from (select londiste.find_table_oid($1) as oid) c`;

async function actingParts(db: Database, table: string): Promise<ActingParts> {
  const row = await db.queryOne<{ triggers: string[]; foreign_keys: string[] }>(partsSql, [table]);
  return { triggers: row.triggers, foreignKeys: row.foreign_keys };
}

/** Says, for one table, what its owner has to look at. Nothing where there is nothing. */
export async function warnOfActingParts(db: Database, log: Log, table: string): Promise<void> {
  const { triggers, foreignKeys } = await actingParts(db, table);
  if (triggers.length > 0) {
    log.warn(`${table}: acts on replayed changes too: trigger ${triggers.join(", ")}`, {
      hint: "Disable it here (alter table ... disable trigger) unless it is meant to; the owner of the table may.",
    });
  }
  if (foreignKeys.length > 0) {
    log.warn(`${table}: is checked on replay: foreign key ${foreignKeys.join(", ")}`, {
      hint: "Replicate both tables out of one queue, the referenced one first. Cascades act here as well as on the provider: without an action, or absent, they do no harm.",
    });
  }
}
