import type { Database } from "@skytools/skytools";
import { rowsOf } from "../pgq_node/node.ts";

/** A registered table as londiste.get_table_list shows it, without what is null or false. */
export async function tableList(db: Database, queue: string): Promise<Record<string, unknown>[]> {
  const rows = await rowsOf(db, "londiste.get_table_list", queue);
  return rows.map((one) =>
    Object.fromEntries(Object.entries(one).filter(([, value]) => value !== null && value !== false)),
  );
}

/** Triggers of a table that the user can see: `name function(arguments)`, in order of name. */
export async function triggersOf(db: Database, table: string): Promise<string[]> {
  const rows = await db.query<{ text: string }>(
    `select t.tgname || ' ' || regexp_replace(t.tgfoid::regproc::text, '_[0-9_]+$', '')
              || '(' || rtrim(replace(encode(t.tgargs, 'escape'), '\\000', ','), ',') || ')' as text
       from pg_trigger t
      where t.tgrelid = $1::regclass and not t.tgisinternal
      order by t.tgname collate "C"`,
    [table],
  );
  return rows.map(({ text }) => text);
}

/** Server-side identity of the triggers of a table: changes when one of them is made anew. */
export async function triggerIdentities(db: Database, table: string): Promise<string[]> {
  const rows = await db.query<{ text: string }>(
    `select t.oid || ' ' || t.xmin || ' ' || t.tgname as text
       from pg_trigger t where t.tgrelid = $1::regclass and not t.tgisinternal order by 1`,
    [table],
  );
  return rows.map(({ text }) => text);
}

/** What a missing list or another list of pairs says: `first second`. */
export function pairs(rows: readonly Record<string, unknown>[]): string[] {
  return rows.map((one) => Object.values(one).join(" "));
}
