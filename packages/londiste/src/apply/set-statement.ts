import { quoteIdent, quoteLiteral } from "@skytools/skytools";
import { eventStage } from "./event-stage.ts";
import type { RowOperation } from "./event-kind.ts";
import type { TargetColumn, TargetTable } from "./target-table.ts";

/** The JSON row events of one table within one segment of a batch. */
export interface SetInput {
  readonly table: TargetTable;
  /** name in events */
  readonly setName: string;
  /** ev_type texts with what they mean */
  readonly types: readonly { readonly type: string; readonly operation: RowOperation }[];
  /** event columns that exist on the target and can be written, in event order */
  readonly columns: readonly TargetColumn[];
  readonly key: readonly TargetColumn[];
  /** ids between which to look, exclusive; null: no bound */
  readonly afterId: bigint | null;
  readonly beforeId: bigint | null;
}

/** The row that a set statement returns. `missing_rows`: updates and deletes that found no row. */
export interface SetCounts {
  readonly inserted: bigint;
  readonly updated: bigint;
  readonly deleted: bigint;
  readonly missing_rows: bigint;
}

/** Builds the statement that brings a table to where its events lead, without looking at them one by one.
 *
 * Per key only three things count: the first operation (did the row exist before?), the last insert or delete (does it exist
 * after?), and the last row image. From these follows what to do:
 *
 * | first | last insert/delete | action |
 * |---|---|---|
 * | insert | insert | I: insert the last image |
 * | insert | delete | nothing |
 * | update, delete | none | U: update to the last image, if the row is there |
 * | update, delete | delete | D: delete |
 * | update, delete | insert | R: the row was deleted and inserted anew, columns that events do not have get their defaults |
 *
 * Deletes run before updates and these before inserts, so that a value of another unique index that moves from a deleted to a
 * new row does not collide. Values that change places among updated rows do collide: the caller then goes row by row.
 * Source: spec/londiste.md 12.6; design: "Apply" */
export function setStatement(input: SetInput): string {
  const operations = new Set(input.types.map((entry) => entry.operation));
  if (operations.size === 1 && operations.has("insert")) return insertOnly(input);
  if (operations.size === 1 && operations.has("delete")) return deleteOnly(input);
  return foldedChanges(input, operations);
}

function insertOnly(input: SetInput): string {
  return `with ins as (
  insert into ${input.table.sqlName} (${columnList(input.columns)}) overriding system value
  select ${input.columns.map((column) => value("x", quoteIdent(column.name), column)).join(", ")}
    from ${recordScan(input, input.columns)}
  returning 1)
select count(*) as inserted, 0::int8 as updated, 0::int8 as deleted, 0::int8 as missing_rows from ins`;
}

function deleteOnly(input: SetInput): string {
  const { table, key } = input;
  return `with gone as materialized (
  select distinct ${key.map((column, nr) => `x.${quoteIdent(column.name)} as k${nr}`).join(", ")}
    from ${recordScan(input, key)}),
del as (
  delete from ${table.only}${table.sqlName} t using gone n
   where ${key.map((column, nr) => `t.${quoteIdent(column.name)} = n.k${nr}`).join(" and ")}
  returning 1)
select 0::int8 as inserted, 0::int8 as updated, (select count(*) from del) as deleted,
       (select count(*) from gone) - (select count(*) from del) as missing_rows`;
}

function foldedChanges(input: SetInput, operations: ReadonlySet<RowOperation>): string {
  const { table, columns, key } = input;
  const keyAliases = key.map((column) => alias(input, column));
  const sameKey = key.map((column) => `t.${quoteIdent(column.name)} = n.${alias(input, column)}`).join(" and ");
  const isReplacing = operations.has("insert") && operations.has("delete");
  const settable = columns.filter((column) => !key.includes(column) && !column.isIdentityAlways);
  const unknownToEvents = table.columns.filter((column) => !column.isGenerated && !columns.includes(column));

  const parts = [
    `ev as materialized (
  select e.ev_id, ${operationCase(input)} as op, ${columns.map((column) => `x.${quoteIdent(column.name)} as ${alias(input, column)}`).join(", ")}
    from ${recordScan(input, columns)})`,
    `ranked as (
  select ev.*, first_value(op) over w as first_op, lead(ev_id) over w as next_id,
         max(case op when 'I' then ev_id * 2 + 1 when 'D' then ev_id * 2 end) over w as existence
    from ev window w as (partition by ${keyAliases.join(", ")} order by ev_id))`,
    `net as materialized (
  select r.*, case when existence % 2 = 0 then case when first_op = 'I' then 'N' else 'D' end
                   when first_op = 'I' then 'I'
                   when existence is null then 'U'
                   else 'R' end as act
    from ranked r where next_id is null)`,
  ];
  const counts = { inserted: "0::int8", updated: "0::int8", deleted: "0::int8" };
  let before = "";
  let expected = "0::int8";
  if (operations.has("delete")) {
    parts.push(`del as (
  delete from ${table.only}${table.sqlName} t using net n where n.act = 'D' and ${sameKey} returning 1)`);
    counts.deleted = "(select count(*) from del)";
    expected += " + (select count(*) from net where act = 'D') - (select count(*) from del)";
    before = " and (select count(*) from del) >= 0";
  }
  if (operations.has("update") && settable.length > 0) {
    parts.push(`upd as (
  update ${table.only}${table.sqlName} t set ${assignments(input, settable)}
    from net n where n.act = 'U' and ${sameKey}${before} returning 1)`);
    counts.updated = "(select count(*) from upd)";
    expected += " + (select count(*) from net where act = 'U') - (select count(*) from upd)";
    before += " and (select count(*) from upd) >= 0";
  }
  const replaced = [assignments(input, settable), ...unknownToEvents.map(toDefault)].filter((text) => text !== "");
  if (isReplacing && replaced.length > 0) {
    parts.push(`rep as (
  update ${table.only}${table.sqlName} t set ${replaced.join(", ")}
    from net n where n.act = 'R' and ${sameKey}${before} returning 1)`);
    before += " and (select count(*) from rep) >= 0";
  }
  if (operations.has("insert")) {
    const isNew = isReplacing
      ? `(n.act = 'I' or n.act = 'R' and not exists (select from ${table.only}${table.sqlName} t where ${sameKey}))`
      : "n.act = 'I'";
    parts.push(`ins as (
  insert into ${table.sqlName} (${columnList(columns)}) overriding system value
  select ${columns.map((column) => value("n", alias(input, column), column)).join(", ")}
    from net n where ${isNew}${before} returning 1)`);
    counts.inserted = "(select count(*) from ins)";
  }
  return `with ${parts.join(",\n")}
select ${counts.inserted} as inserted, ${counts.updated} as updated, ${counts.deleted} as deleted, (${expected})::int8 as missing_rows`;
}

/** The staged events with their data as a typed record. The types are the target's, so that a value meets the same input
 * function, and the same length check, as a literal in a statement would. json values are logged as strings holding their
 * text: read as text, they are converted afterwards. */
function recordScan(input: SetInput, columns: readonly TargetColumn[]): string {
  const record = columns.map(
    (column) => `${quoteIdent(column.name)} ${column.isJson ? "text" : column.type}`,
  );
  const conditions = [
    `e.ev_extra1 = ${quoteLiteral(input.setName)}`,
    `e.ev_type in (${input.types.map((entry) => quoteLiteral(entry.type)).join(", ")})`,
  ];
  if (input.afterId !== null) conditions.push(`e.ev_id > ${input.afterId}`);
  if (input.beforeId !== null) conditions.push(`e.ev_id < ${input.beforeId}`);
  return `${eventStage} e cross join lateral pg_catalog.json_to_record(e.ev_data::json) as x(${record.join(", ")})
   where ${conditions.join(" and ")}`;
}

const operationLetters = { insert: "'I'", update: "'U'", delete: "'D'" } as const;

function operationCase(input: SetInput): string {
  const whens = input.types.map(
    (entry) => `when ${quoteLiteral(entry.type)} then ${operationLetters[entry.operation]}`,
  );
  return `case e.ev_type ${whens.join(" ")} end`;
}

function alias(input: SetInput, column: TargetColumn): string {
  return `c${input.columns.indexOf(column)}`;
}

function value(relation: string, name: string, column: TargetColumn): string {
  return column.isJson ? `${relation}.${name}::${column.type}` : `${relation}.${name}`;
}

function assignments(input: SetInput, columns: readonly TargetColumn[]): string {
  return columns
    .map((column) => `${quoteIdent(column.name)} = ${value("n", alias(input, column), column)}`)
    .join(", ");
}

function toDefault(column: TargetColumn): string {
  return `${quoteIdent(column.name)} = default`;
}

function columnList(columns: readonly TargetColumn[]): string {
  return columns.map((column) => quoteIdent(column.name)).join(", ");
}
