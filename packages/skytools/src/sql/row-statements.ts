import { UsageError } from "../errors.ts";
import { quoteFqIdent, quoteIdent } from "../quoting/quote-ident.ts";
import { quoteLiteral } from "../quoting/quote-literal.ts";

/** Values by column name. */
export type RowValues = ReadonlyMap<string, string | null>;

/** An INSERT of one row, values as quoted literals.
 * @param table `schema.table`, plain
 * Source: spec/framework.md 7.3 (mk_insert_sql) */
export function insertRowSql(table: string, row: RowValues): string {
  const names = [...row.keys()].map(quoteIdent).join(", ");
  const values = [...row.values()].map(quoteLiteral).join(", ");
  return `insert into ${quoteFqIdent(table)} (${names}) values (${values});`;
}

/** An UPDATE of one row by its key, whose columns are not set; undefined when the row is all key.
 * @throws UsageError without a key, or when the row lacks a column of it */
export function updateRowSql(table: string, row: RowValues, key: readonly string[]): string | undefined {
  const condition = keyCondition(table, row, key);
  const settings = [...row]
    .filter(([name]) => !key.includes(name))
    .map(([name, value]) => `${quoteIdent(name)} = ${quoteLiteral(value)}`);
  if (settings.length === 0) return undefined;
  return `update only ${quoteFqIdent(table)} set ${settings.join(", ")} where ${condition};`;
}

/** A DELETE of one row by its key. @throws UsageError as updateRowSql() */
export function deleteRowSql(table: string, row: RowValues, key: readonly string[]): string {
  return `delete from only ${quoteFqIdent(table)} where ${keyCondition(table, row, key)};`;
}

/** A NULL in the key matches nothing, as with any key. */
function keyCondition(table: string, row: RowValues, key: readonly string[]): string {
  if (key.length === 0) throw new UsageError(`table ${table} has no key to find the row by`);
  return key
    .map((name) => {
      if (!row.has(name)) throw new UsageError(`row of ${table} lacks its key column ${name}`);
      return `${quoteIdent(name)} = ${quoteLiteral(row.get(name) ?? null)}`;
    })
    .join(" and ");
}
