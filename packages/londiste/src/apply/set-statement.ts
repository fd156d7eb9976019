import { quoteIdent } from "@skytools/skytools";
import type { RowOperation } from "./event-kind.ts";
import type { StageTable } from "./stage-table.ts";
import type { TargetColumn, TargetTable } from "./target-table.ts";

/** Letters in the stage's column `op`. */
export const operationLetters = { insert: "I", update: "U", delete: "D" } as const satisfies Record<
  RowOperation,
  string
>;

/** The row events of one table, loaded into a stage. */
export interface SetInput {
  readonly table: TargetTable;
  readonly stage: StageTable;
  /** the operations that occur */
  readonly operations: ReadonlySet<RowOperation>;
  /** among the stage's columns */
  readonly key: readonly TargetColumn[];
}

/** The row that a set statement returns. `missing_rows`: updates and deletes that found no row. */
export interface SetCounts {
  readonly inserted: bigint;
  readonly updated: bigint;
  readonly deleted: bigint;
  readonly missing_rows: bigint;
}

/** Builds the statement that brings a table to where its events lead, without going through them one by one.
 *
 * Per key only three things count: the first operation (did the row exist before?), the last insert or delete (does it exist
 * after?), and the last row image. From these follows what to do:
 *
 * | first | last insert or delete | action |
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
  const { operations } = input;
  if (operations.size === 1 && operations.has("insert")) return insertOnly(input);
  if (operations.size === 1 && operations.has("delete")) return deleteOnly(input);
  return foldedChanges(input);
}

function insertOnly({ table, stage }: SetInput): string {
  return `with ins as (
  insert into ${table.sqlName} (${columnList(stage)}) overriding system value
  select ${stage.columns.map((_column, nr) => `c${nr}`).join(", ")} from ${stage.name}
  returning 1)
select count(*) as inserted, 0::int8 as updated, 0::int8 as deleted, 0::int8 as missing_rows from ins`;
}

function deleteOnly(input: SetInput): string {
  const { table, stage, key } = input;
  return `with gone as materialized (
  select distinct ${key.map((column) => alias(stage, column)).join(", ")} from ${stage.name}),
del as (delete from ${table.only}${table.sqlName} t using gone n where ${keyMatch(input)} returning 1)
select 0::int8 as inserted, 0::int8 as updated, (select count(*) from del) as deleted,
       (select count(*) from gone) - (select count(*) from del) as missing_rows`;
}

function foldedChanges(input: SetInput): string {
  const { table, stage, key, operations } = input;
  const sameKey = keyMatch(input);
  const isReplacing = operations.has("insert") && operations.has("delete");
  const settable = stage.columns.filter(
    (column) => (column.hasTwins || !key.includes(column)) && !column.isIdentityAlways,
  );
  const unknownToEvents = table.columns.filter(
    (column) => !column.isGenerated && !stage.columns.includes(column),
  );
  const parts = [
    `ranked as (
  select s.*, first_value(op) over w as first_op, lead(ev_id) over w as next_id,
         max(case op when 'I' then ev_id * 2 + 1 when 'D' then ev_id * 2 end) over w as existence
    from ${stage.name} s window w as (partition by ${key.map((column) => alias(stage, column)).join(", ")} order by ev_id))`,
    `net as materialized (
  select r.*, case when existence % 2 = 0 then case when first_op = 'I' then 'N' else 'D' end
                   when first_op = 'I' then 'I'
                   when existence is null then 'U'
                   else 'R' end as act
    from ranked r where next_id is null)`,
  ];
  const counts = { inserted: "0", updated: "0", deleted: "0" };
  const missing: string[] = ["0"];
  let before = "";
  const change = (name: string, act: string, sql: string) => {
    parts.push(`${name} as (${sql} returning 1)`);
    before += ` and (select count(*) from ${name}) >= 0`;
    if (act !== "")
      missing.push(`(select count(*) from net where act = '${act}') - (select count(*) from ${name})`);
  };
  const target = `${table.only}${table.sqlName} t`;
  if (operations.has("delete")) {
    change("del", "D", `delete from ${target} using net n where n.act = 'D' and ${sameKey}`);
    counts.deleted = "(select count(*) from del)";
  }
  if (operations.has("update") && settable.length > 0) {
    const set = assignments(stage, settable);
    change("upd", "U", `update ${target} set ${set} from net n where n.act = 'U' and ${sameKey}${before}`);
    counts.updated = "(select count(*) from upd)";
  }
  const replaced = [assignments(stage, settable), ...unknownToEvents.map(toDefault)].filter(
    (text) => text !== "",
  );
  if (isReplacing && replaced.length > 0) {
    change(
      "rep",
      "",
      `update ${target} set ${replaced.join(", ")} from net n where n.act = 'R' and ${sameKey}${before}`,
    );
  }
  if (operations.has("insert")) {
    const isNew = isReplacing
      ? `(n.act = 'I' or n.act = 'R' and not exists (select from ${target} where ${sameKey}))`
      : "n.act = 'I'";
    const values = stage.columns.map((column) => `n.${alias(stage, column)}`).join(", ");
    parts.push(`ins as (
  insert into ${table.sqlName} (${columnList(stage)}) overriding system value
  select ${values} from net n where ${isNew}${before} returning 1)`);
    counts.inserted = "(select count(*) from ins)";
  }
  return `with ${parts.join(",\n")}
select ${counts.inserted}::int8 as inserted, ${counts.updated}::int8 as updated, ${counts.deleted}::int8 as deleted,
       (${missing.join(" + ")})::int8 as missing_rows`;
}

function keyMatch({ stage, key }: SetInput): string {
  return key.map((column) => `t.${quoteIdent(column.name)} = n.${alias(stage, column)}`).join(" and ");
}

function alias(stage: StageTable, column: TargetColumn): string {
  return `c${stage.columns.indexOf(column)}`;
}

function assignments(stage: StageTable, columns: readonly TargetColumn[]): string {
  return columns.map((column) => `${quoteIdent(column.name)} = n.${alias(stage, column)}`).join(", ");
}

function toDefault(column: TargetColumn): string {
  return `${quoteIdent(column.name)} = default`;
}

function columnList(stage: StageTable): string {
  return stage.columns.map((column) => quoteIdent(column.name)).join(", ");
}
