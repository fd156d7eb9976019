import type { Database } from "@skytools/skytools";
import { quoteIdent } from "@skytools/skytools";
import type { TargetColumn } from "../apply/target-table.ts";
import type { RowSelection } from "../compare/table-checksum.ts";

/** Text of a row's columns, in the order of the selection's. */
export type RowImage = readonly (string | null)[];

export type KeyText = readonly (string | null)[];

/** What distinguishes keys. */
export function keyId(key: KeyText): string {
  return JSON.stringify(key);
}

/** Reads rows by their keys, values as their output functions write them. What does not meet the selection's condition is not
 * there.
 * @returns images by keyId() */
export async function readRows(
  db: Database,
  selection: RowSelection,
  keys: readonly KeyText[],
): Promise<Map<string, RowImage>> {
  const { from, columns, key, condition } = selection;
  const wanted = key.map((column, nr) => `k${nr}::${column.type} as k${nr}`).join(", ");
  const arrays = key.map((_column, nr) => `$${nr + 1}::text[]`).join(", ");
  const names = key.map((_column, nr) => `k${nr}`).join(", ");
  const match = key.map((column, nr) => `t.${quoteIdent(column.name)} = w.k${nr}`).join(" and ");
  const rows = await db.query<{ key: string; image: (string | null)[] }>(
    `select to_json(array[${key.map((column) => `t.${quoteIdent(column.name)}::text`).join(", ")}])::text as key,
            array[${columns.map(asText).join(", ")}]::text[] as image
       from ${from} t join (select ${wanted} from unnest(${arrays}) as u(${names})) w on ${match}
      ${condition === undefined ? "" : `where (${condition})`}`,
    key.map((_column, nr) => keys.map((values) => values[nr] ?? null)),
  );
  return new Map(rows.map((row) => [keyId(JSON.parse(row.key) as KeyText), row.image]));
}

/** Those keys that are not among others; the server says which are the same.
 * @param others a list for each column of the key */
export async function keysWithout(
  db: Database,
  key: readonly TargetColumn[],
  keys: readonly KeyText[],
  others: readonly (readonly (string | null)[])[],
): Promise<KeyText[]> {
  const names = (prefix: string) => key.map((_column, nr) => `${prefix}${nr}`).join(", ");
  const arrays = (first: number) => key.map((_column, nr) => `$${first + nr}::text[]`).join(", ");
  const match = key.map(({ type }, nr) => `o${nr}::${type} = k${nr}::${type}`).join(" and ");
  const rows = await db.query<{ nr: number }>(
    `select nr::int4 as nr from unnest(${arrays(1)}) with ordinality as k(${names("k")}, nr)
      where not exists (select from unnest(${arrays(1 + key.length)}) as o(${names("o")}) where ${match})
      order by nr`,
    [...key.map((_column, nr) => keys.map((values) => values[nr] ?? null)), ...others],
  );
  return rows.map(({ nr }) => keys[nr - 1]!);
}

/** A composite value that has a null in it is no null. */
function asText(column: TargetColumn): string {
  const name = `t.${quoteIdent(column.name)}`;
  return `case when num_nulls(${name}) = 0 then format('%s', ${name}) end`;
}
