import type { Database } from "../db/database.ts";
import { SkytoolsError } from "../errors.ts";
import { splitFqName } from "../quoting/quote-ident.ts";
import type { TableStructure } from "./table-structure.ts";

/** Names that are free in the target's schema for the constraints with an index, indexes and statistics of a table that is
 * created under another name: a trailing `_<digits>` is replaced by `_1` .. `_999`.
 * @param schema plain name
 * @throws SkytoolsError NO_FREE_NAME
 * Source: spec/framework.md 7.4 (fresh names). */
export async function freshIndexNames(
  db: Database,
  table: TableStructure,
  schema: string,
): Promise<Map<string, string>> {
  const rows = await db.query<{ name: string }>(
    `select c.relname as name from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1
     union select s.stxname from pg_catalog.pg_statistic_ext s
       join pg_catalog.pg_namespace n on n.oid = s.stxnamespace where n.nspname = $1`,
    [schema],
  );
  const taken = new Set(rows.map((row) => row.name));
  const names = new Map<string, string>();
  const originals = [
    ...table.indexes.map((index) => index.name),
    ...table.statistics.map((item) => splitFqName(item.name)[1]),
  ];
  for (const name of originals) {
    const fresh = freshName(name, taken);
    taken.add(fresh);
    names.set(name, fresh);
  }
  return names;
}

function freshName(name: string, taken: ReadonlySet<string>): string {
  const stem = name.replace(/_\d+$/, "");
  for (let number = 1; number <= 999; number++) {
    const suffix = `_${number}`;
    const candidate = cutToBytes(stem, 63 - suffix.length) + suffix;
    if (!taken.has(candidate)) return candidate;
  }
  throw new SkytoolsError("NO_FREE_NAME", `no free name like "${stem}_1"`);
}

/** Whole characters only, as the server truncates identifiers. */
function cutToBytes(text: string, bytes: number): string {
  let cut = text;
  while (Buffer.byteLength(cut) > bytes) cut = Array.from(cut).slice(0, -1).join("");
  return cut;
}
