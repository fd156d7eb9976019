import { createHash } from "node:crypto";
import type { Database } from "@skytools/skytools";
import type { TargetColumn, TargetTable } from "./target-table.ts";

/** At each commit the server empties every stage of the session: their number must not grow without end. */
const maxStages = 100;

/** A table of the session that rows of one shape are loaded into. Made once for a session and shape, not for each batch:
 * creating a table costs catalog rows that vacuum has to remove again. Emptied by the server at each commit. */
export interface StageTable {
  /** as SQL */
  readonly name: string;
  /** FROM item: the rows with every column in its table's type, or the one below a domain */
  readonly rows: string;
  /** event columns: ev_id, ev_txid, op, then c0, c1 ... */
  readonly columns: readonly TargetColumn[];
}

const stagesOfSession = new WeakMap<Database, Map<string, StageTable>>();

/** Makes sure that the stage for these columns of a table exists. Within the open transaction: when that is rolled back, a new stage is
 * gone, which the next call repairs. Values of types that users have made wait as text: a column of such a type would stand in
 * the way of everybody who alters or drops the type.
 * @param kind tells rows of one table apart that are not to lie in one stage */
export async function openStage(
  target: Database,
  table: TargetTable,
  columns: readonly TargetColumn[],
  kind: string,
): Promise<StageTable> {
  const definition = columns
    .map((column, nr) => `c${nr} ${column.isTypeOfUser ? "text" : collated(column.type, column)}`)
    .join(", ");
  const hash = createHash("sha256")
    .update(`${table.sqlName} ${definition} ${kind}`)
    .digest("hex")
    .slice(0, 24);
  const stages = stagesOfSession.get(target) ?? new Map<string, StageTable>();
  stagesOfSession.set(target, stages);
  const name = `pg_temp.londiste_${hash}`;
  await target.execute(
    `create temporary table if not exists londiste_${hash} (ev_id int8 not null, ev_txid int8, op "char" not null, ${definition})
       on commit delete rows`,
  );
  const stage = { name, rows: rowsOf(name, columns), columns };
  stages.delete(name);
  stages.set(name, stage);
  return stage;
}

function collated(type: string, { collation }: TargetColumn): string {
  return collation === "" ? type : `${type} collate ${collation}`;
}

function rowsOf(name: string, columns: readonly TargetColumn[]): string {
  if (!columns.some((column) => column.isTypeOfUser)) return name;
  const values = columns.map((column, nr) =>
    column.isTypeOfUser ? `c${nr}::${collated(column.castType, column)} as c${nr}` : `c${nr}`,
  );
  return `(select ev_id, ev_txid, op, ${values.join(", ")} from ${name})`;
}

/** Drops the stages that were not used for the longest time, down to the limit. Call it when no stage holds rows. */
export async function dropOldStages(target: Database): Promise<void> {
  const stages = stagesOfSession.get(target);
  const old = [...(stages?.keys() ?? [])].slice(0, -maxStages);
  if (stages === undefined || old.length === 0) return;
  for (const name of old) stages.delete(name);
  await target.execute(`drop table if exists ${old.join(", ")}`);
}

/** The statement that empties a stage, which may have been used in the same transaction. */
export function clearStage(stage: StageTable): string {
  return `truncate ${stage.name}`;
}

/** The statement that takes lines of id, txid, operation and columns. */
export function copyIntoStage(stage: StageTable): string {
  return `copy ${stage.name} (${["ev_id", "ev_txid", "op", ...stage.columns.map((_column, nr) => `c${nr}`)].join(", ")}) from stdin`;
}

/** Drops all stages of the session: what a script changes, types for example, must not hang on them. */
export async function dropStages(target: Database): Promise<void> {
  const stages = [...(stagesOfSession.get(target)?.keys() ?? [])];
  stagesOfSession.delete(target);
  if (stages.length > 0) await target.execute(`drop table if exists ${stages.join(", ")}`);
}
