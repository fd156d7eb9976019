import { quoteIdent } from "@skytools/skytools";
import type { RowOperation } from "./event-kind.ts";
import type { RowsTreatment } from "./rows-treatment.ts";
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
  readonly treatment: RowsTreatment;
}

/** The row that a set statement returns. */
export interface SetCounts {
  readonly inserted: bigint;
  readonly updated: bigint;
  readonly deleted: bigint;
  /** updates and deletes that found no row */
  readonly missing_updates: bigint;
  readonly missing_deletes: bigint;
  /** keys whose events do not say which of two rows they are about */
  readonly doubled_keys: bigint;
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
 * Treatments change that. Where rows are replaced, W stands for U and R, or for I too: delete the row if it is there, insert the
 * last image; and where an insert replaces, one that is deleted again takes the row with it: X. With a condition, X deletes the
 * row if it is there, where the last image does not meet it, and P in place of U updates the row or inserts it: it may not have met
 * the condition before.
 *
 * Where a key of the source is deferrable, two rows may have it for a while, and an insert comes before the delete of the row that
 * was there; where it is not unique, or NULL, several rows have it for good. Then the row's existence is not what inserts and
 * deletes lead to: A stands for such a key, and nothing is to be done.
 *
 * Deletes run before updates and these before inserts, so that a value of another unique index that moves from a deleted to a
 * new row does not collide. Values that change places among updated rows do collide: the caller then goes row by row.
 * Source: spec/londiste.md 12.6; design: "Apply" */
export function setStatement(input: SetInput): string {
  const { operations, treatment } = input;
  const replacesInserts = treatment.replaces === "updates and inserts";
  if (operations.size === 1 && operations.has("insert") && !replacesInserts) return insertOnly(input);
  if (operations.size === 1 && operations.has("delete")) return deleteOnly(input);
  return foldedChanges(input);
}

/** The statements for staged updates and deletes of keys that all differ; the inserts go another way. */
export function distinctStatements(
  input: Pick<SetInput, "table" | "stage" | "key">,
  staged: StagedChanges,
): readonly string[] {
  const { table, stage } = input;
  const settable = settableColumns(input);
  const target = `${table.only}${table.sqlName} t`;
  const isUpdating = staged.updates > 0 && settable.length > 0;
  return [
    ...(staged.deletes > 0
      ? [`delete from ${target} using ${stage.rows} n where n.op = 'D' and ${keyMatch(input)}`]
      : []),
    ...(isUpdating
      ? [
          `update ${target} set ${assignments(stage, settable)} from ${stage.rows} n where n.op = 'U' and ${keyMatch(input)}`,
        ]
      : []),
  ];
}

/** How many rows of each operation a stage holds. */
export interface StagedChanges {
  readonly updates: number;
  readonly deletes: number;
}

function settableColumns({ stage, key }: Pick<SetInput, "stage" | "key">): readonly TargetColumn[] {
  return stage.columns.filter(
    (column) => (column.hasTwins || !key.includes(column)) && !column.isIdentityAlways,
  );
}

function insertOnly({ table, stage, treatment }: SetInput): string {
  const isWanted = treatment.condition === undefined ? "" : ` where ${meets(stage, treatment.condition)}`;
  return `with ins as (
  insert into ${table.sqlName} (${columnList(stage)}) overriding system value
  select ${stage.columns.map((_column, nr) => `c${nr}`).join(", ")} from ${stage.rows} s${isWanted}
  returning 1)
select count(*) as inserted, 0::int8 as updated, 0::int8 as deleted, 0::int8 as missing_updates, 0::int8 as missing_deletes,
       0::int8 as doubled_keys from ins`;
}

/** True of stage row `s` when its columns meet the condition, under the names that they have in the table. */
function meets(stage: StageTable, condition: string): string {
  const columns = stage.columns.map((column, nr) => `s.c${nr} as ${quoteIdent(column.name)}`);
  return `exists (select from (select ${columns.join(", ")}) as row_of_event where (${condition}))`;
}

function deleteOnly(input: SetInput): string {
  const { table, stage, key } = input;
  return `with gone as materialized (
  select distinct ${key.map((column) => alias(stage, column)).join(", ")} from ${stage.rows} s),
del as (delete from ${table.only}${table.sqlName} t using gone n where ${keyMatch(input)} returning 1)
select 0::int8 as inserted, 0::int8 as updated, (select count(*) from del) as deleted, 0::int8 as missing_updates,
       (select count(*) from gone) - (select count(*) from del) as missing_deletes, 0::int8 as doubled_keys`;
}

function foldedChanges(input: SetInput): string {
  const { table, stage, key, operations, treatment } = input;
  const sameKey = keyMatch(input);
  const isReplacing = operations.has("insert") && operations.has("delete");
  const replacesInserts = treatment.replaces === "updates and inserts";
  const mayDouble =
    !replacesInserts &&
    (operations.has("insert") || treatment.replaces !== undefined || treatment.condition !== undefined);
  const mayDelete =
    operations.has("delete") || treatment.replaces !== undefined || treatment.condition !== undefined;
  const settable = settableColumns(input);
  const unknownToEvents = table.columns.filter(
    (column) => !column.isGenerated && !stage.columns.includes(column),
  );
  const parts = [
    `ranked as (
  select s.*, first_value(op) over w as first_op, lead(ev_id) over w as next_id,
         max(case ${replacesInserts ? "" : "when op = 'U' then null "}when op = 'D' then ev_id * 2 else ev_id * 2 + 1 end) over w as existence${mayDouble ? countedRows : ""}
    from ${stage.rows} s window w as (partition by ${key.map((column) => alias(stage, column)).join(", ")} order by ev_id))`,
    `net as materialized (
  select s.*, case ${unclearKey(input, mayDouble)}when existence % 2 = 0 then case when first_op = 'I' then '${replacesInserts ? "X" : "N"}' else 'D' end${actions(input)} end as act
    from ranked s where next_id is null${mayDouble ? ` or ${isIrregular}` : ""})`,
  ];
  const counts = { inserted: "0", updated: "0", deleted: "0" };
  const missing = { updates: "0", deletes: "0" };
  let before = "";
  const change = (name: string, sql: string) => {
    parts.push(`${name} as (${sql} returning n.act)`);
    before += ` and (select count(*) from ${name}) >= 0`;
  };
  const missed = (name: string, act: string) =>
    `(select count(*) from net where act = '${act}') - (select count(*) from ${name} where act = '${act}')`;
  const target = `${table.only}${table.sqlName} t`;
  if (mayDelete) {
    change("del", `delete from ${target} using net n where n.act in ('D', 'X', 'W') and ${sameKey}`);
    counts.deleted = "(select count(*) from del)";
    missing.deletes = missed("del", "D");
  }
  if (operations.has("update") && settable.length > 0) {
    const set = assignments(stage, settable);
    change("upd", `update ${target} set ${set} from net n where n.act in ('U', 'P') and ${sameKey}${before}`);
    counts.updated = "(select count(*) from upd)";
    missing.updates = missed("upd", "U");
  }
  const replaced = [assignments(stage, settable), ...unknownToEvents.map(toDefault)].filter(
    (text) => text !== "",
  );
  if (isReplacing && replaced.length > 0) {
    change(
      "rep",
      `update ${target} set ${replaced.join(", ")} from net n where n.act = 'R' and ${sameKey}${before}`,
    );
  }
  if (operations.has("insert") || mayDelete) {
    const values = stage.columns.map((column) => `n.${alias(stage, column)}`).join(", ");
    const isAbsent = `not exists (select from ${target} where ${sameKey})`;
    parts.push(`ins as (
  insert into ${table.sqlName} (${columnList(stage)}) overriding system value
  select ${values} from net n where (n.act in ('I', 'W') or n.act in ('R', 'P') and ${isAbsent})${before} returning 1)`);
    counts.inserted = "(select count(*) from ins)";
  }
  return `with ${parts.join(",\n")}
select ${counts.inserted}::int8 as inserted, ${counts.updated}::int8 as updated, ${counts.deleted}::int8 as deleted,
       (${missing.updates})::int8 as missing_updates, (${missing.deletes})::int8 as missing_deletes,
       (select count(*) from net where act = 'A') as doubled_keys`;
}

/** How many rows of its key the events up to one have brought, or taken away. */
const countedRows = `,
         sum(case op when 'I' then 1 when 'D' then -1 else 0 end) over w as balance`;

/** True of an event after which there is not just one row of its key, after a delete none. */
const isIrregular =
  "balance + case first_op when 'I' then 0 else 1 end <> case op when 'D' then 0 else 1 end";

/** The branches of CASE for keys whose events do not tell of one row: NULL is nobody's key. */
function unclearKey({ table, stage, key, operations }: SetInput, mayDouble: boolean): string {
  const isNull = key.map((column) => `${alias(stage, column)} is null`).join(" or ");
  const isUnclear = `when ${isNull}${mayDouble ? ` or ${isIrregular}` : ""} then 'A'
                   `;
  if (!mayDouble || !operations.has("insert") || !operations.has("delete")) return isUnclear;
  const isSame = key
    .map((column) => `t.${quoteIdent(column.name)} = s.${alias(stage, column)}`)
    .join(" and ");
  return `${isUnclear}when existence % 2 = 0 and first_op = 'I'
                    and exists (select from ${table.only}${table.sqlName} t where ${isSame}) then 'A'
                   `;
}

/** The branches of CASE for keys whose row exists in the end. */
function actions({ stage, treatment }: SetInput): string {
  const { condition, replaces } = treatment;
  const isUnmet =
    condition === undefined
      ? ""
      : `
                   when not ${meets(stage, condition)} then case when first_op = 'I' then 'N' else 'X' end`;
  const ofInsert = replaces === "updates and inserts" ? "W" : "I";
  const ofUpdate = replaces !== undefined ? "W" : condition !== undefined ? "P" : "U";
  const ofReplacement = replaces !== undefined ? "W" : "R";
  return `${isUnmet}
                   when first_op = 'I' then '${ofInsert}'
                   when existence is null then '${ofUpdate}'
                   else '${ofReplacement}'`;
}

function keyMatch({ stage, key }: Pick<SetInput, "stage" | "key">): string {
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
