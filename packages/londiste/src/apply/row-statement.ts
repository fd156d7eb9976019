import { type PartialSqlRow, quoteIdent, quoteLiteral, SkytoolsError } from "@skytools/skytools";
import type { RowOperation } from "./event-kind.ts";
import type { RowsTreatment } from "./rows-treatment.ts";
import type { TargetTable } from "./target-table.ts";

/** One row change, decoded. */
export interface RowChange {
  readonly operation: RowOperation;
  readonly key: readonly string[];
  /** column names with their text, null for NULL */
  readonly row: ReadonlyMap<string, string | null>;
}

/** The statement that replays one row change; undefined when there is nothing to do: an update of a table that is all key.
 * Generated columns are left out: the target computes its own.
 * @throws SkytoolsError EVENT_DATA
 * Source: spec/londiste.md 9.3 */
function rowStatement(table: TargetTable, change: RowChange): string | undefined {
  if (change.operation === "insert") return onlyOne(table, insertStatement(table, change.row));
  if (change.operation === "delete") return deleteStatement(table, change);
  const where = keyCondition(change);
  const settings = settingsOf(table, change);
  if (settings.length === 0) return undefined;
  return `update ${table.only}${table.sqlName} set ${settings.join(", ")} where ${where};`;
}

/** What an update of the row sets. The server refuses any value for an always-identity column in an update; it does not change on the
 * source either. */
function settingsOf(table: TargetTable, { key, row }: RowChange): string[] {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  return [...row].flatMap(([name, value]) => {
    const column = columns.get(name);
    if (column?.isGenerated || column?.isIdentityAlways) return [];
    if (key.includes(name) && column?.hasTwins !== true) return [];
    return `${quoteIdent(name)} = ${literal(value)}`;
  });
}

/** The statements for one row change where rows are treated otherwise; undefined when there is nothing to do.
 * @throws SkytoolsError EVENT_DATA */
export function treatedRowStatement(
  table: TargetTable,
  change: RowChange,
  { replaces, condition, missingRows }: RowsTreatment,
): string | undefined {
  const isFound = missingRows === "error" ? foundOrFailed : (sql: string) => sql;
  if (change.operation === "delete") return isFound(deleteStatement(table, change));
  if (condition !== undefined) return filteredRowStatement(table, change, condition);
  const isReplaced =
    change.operation === "update" ? replaces !== undefined : replaces === "updates and inserts";
  if (!isReplaced) {
    const sql = rowStatement(table, change);
    return sql === undefined || change.operation === "insert" ? sql : isFound(sql);
  }
  if (table.isReferenced) return inPlaceStatement(table, change);
  const deletion = rowStatement(table, { ...change, operation: "delete" });
  return `${deletion} ${rowStatement(table, { ...change, operation: "insert" })}`;
}

function deleteStatement(table: TargetTable, change: RowChange): string {
  return `delete from ${table.only}${table.sqlName} where ${keyCondition(change)};`;
}

/** An insert that fails when there was a row of its primary key, also where the server does not look for it.
 * Source: PostgreSQL manual, DO */
function onlyOne(table: TargetTable, insertion: string): string {
  if (table.deferrableKey.length === 0) return insertion;
  const key = table.deferrableKey.map((name) => quoteIdent(name));
  const isSame = key.map((name) => `t.${name} = new_row.${name}`).join(" and ");
  const count = `(select count(*) from ${table.only}${table.sqlName} t where ${isSame})`;
  const failure = "raise unique_violation using message = 'there is a row of this key already'";
  const returning = insertion.replace(/;$/, ` returning ${key.join(", ")} into new_row;`);
  return doBlock(`declare new_row record; begin ${returning} if ${count} > 1 then ${failure}; end if; end`);
}

/** Columns may be named like variables of the block. */
function doBlock(block: string): string {
  return `do ${quoteLiteral(`#variable_conflict use_column\n${block}`)};`;
}

/** An update or delete that fails when it finds no row. Source: PostgreSQL manual, DO */
export function foundOrFailed(sql: string): string {
  const check = "if not found then raise no_data_found using message = 'there is no such row'; end if;";
  return doBlock(`begin ${sql} ${check} end`);
}

/** Replaces the row without taking it away for a moment: those that refer to it stay what they are. */
function inPlaceStatement(table: TargetTable, change: RowChange): string {
  const { row, insertion } = insertedRow(table, change);
  const key = keyCondition(change);
  const target = `${table.only}${table.sqlName}`;
  const unknown = table.columns.filter(({ name, isGenerated }) => !isGenerated && !change.row.has(name));
  const settings = [
    ...settingsOf(table, change),
    ...unknown.map(({ name }) => `${quoteIdent(name)} = default`),
  ];
  const update = settings.length === 0 ? "" : `update ${target} set ${settings.join(", ")} where ${key}; `;
  const isAbsent = `not exists (select from ${target} where ${key})`;
  return `${update}${onlyOne(table, `${insertion} from ${row} where ${isAbsent};`)}`;
}

/** The columns of an event as a row, and the insertion of it that wants a FROM. */
function insertedRow(
  table: TargetTable,
  change: RowChange,
): { readonly row: string; readonly insertion: string } {
  const written = table.columns.filter((column) => !column.isGenerated && change.row.has(column.name));
  const values = written.map(
    (column) =>
      `${literal(change.row.get(column.name) ?? null)}::${column.castType} as ${quoteIdent(column.name)}`,
  );
  const names = written.map((column) => quoteIdent(column.name)).join(", ");
  return {
    row: `(select ${values.join(", ")}) as row_of_event`,
    insertion: `insert into ${table.sqlName} (${names}) overriding system value select ${names}`,
  };
}

/** An update may bring the row here, or take it away. */
function filteredRowStatement(table: TargetTable, change: RowChange, condition: string): string {
  const { row, insertion: selected } = insertedRow(table, change);
  const isMet = `exists (select from ${row} where (${condition}))`;
  const insertion = `${selected} from ${row} where (${condition})`;
  if (change.operation === "insert") return onlyOne(table, `${insertion};`);
  const key = keyCondition(change);
  const target = `${table.only}${table.sqlName}`;
  const update = rowStatement(table, change)?.replace(/;$/, ` and ${isMet};`) ?? "";
  const arrival = onlyOne(table, `${insertion} and not exists (select from ${target} where ${key});`);
  return `${update} ${arrival} delete from ${target} where ${key} and not ${isMet};`;
}

/** The statement for an event of pgq.sqltriga, made of what its data says and never of its text: whoever writes an event must
 * not write SQL for this server. Undefined when there is nothing to do.
 * @throws SkytoolsError EVENT_DATA */
export function partialSqlStatement(
  table: TargetTable,
  operation: RowOperation,
  { key, data }: PartialSqlRow,
): string | undefined {
  if (operation === "insert") return rowStatement(table, { operation, key: [], row: data });
  const where = [...key]
    .map(([name, value]) => `${quoteIdent(name)} ${value === null ? "is null" : `= ${literal(value)}`}`)
    .join(" and ");
  if (operation === "delete") return `delete from ${table.only}${table.sqlName} where ${where};`;
  // An update that changes nothing comes as `id='1' where id='1'`.
  const fixed = table.columns
    .filter((column) => column.isGenerated || column.isIdentityAlways)
    .map((column) => column.name);
  const settings = [...data]
    .filter(([name]) => !fixed.includes(name))
    .map(([name, value]) => `${quoteIdent(name)} = ${literal(value)}`);
  if (settings.length === 0) return undefined;
  return `update ${table.only}${table.sqlName} set ${settings.join(", ")} where ${where};`;
}

function insertStatement(table: TargetTable, all: RowChange["row"]): string {
  const generated = new Set(
    table.columns.filter((column) => column.isGenerated).map((column) => column.name),
  );
  const row = [...all].filter(([name]) => !generated.has(name));
  if (row.length === 0) return `insert into ${table.sqlName} default values;`;
  const overriding = table.columns.some((column) => column.isIdentityAlways)
    ? " overriding system value"
    : "";
  const names = row.map(([name]) => quoteIdent(name));
  const values = row.map(([, value]) => literal(value));
  return `insert into ${table.sqlName} (${names.join(", ")})${overriding} values (${values.join(", ")});`;
}

function keyCondition({ key, row }: RowChange): string {
  if (key.length === 0) throw new SkytoolsError("EVENT_DATA", "event of a table without a key");
  return key
    .map((name) => {
      if (!row.has(name)) throw new SkytoolsError("EVENT_DATA", `event lacks its key column "${name}"`);
      return `${quoteIdent(name)} = ${literal(row.get(name) ?? null)}`;
    })
    .join(" and ");
}

/** The key as `a=1, b=x`, for messages. */
export function describeKey({ key, row }: Pick<RowChange, "key" | "row">): string {
  return key.map((name) => `${name}=${shorten(row.get(name) ?? "NULL")}`).join(", ");
}

function shorten(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}...` : value;
}

function literal(value: string | null): string {
  if (value === null) return "null";
  if (value.includes("\0"))
    throw new SkytoolsError("EVENT_DATA", "value with a zero byte, which no type can hold");
  return quoteLiteral(value);
}
