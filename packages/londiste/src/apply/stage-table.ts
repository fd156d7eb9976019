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
  /** event columns: ev_id, ev_txid, op, then c0, c1 ... */
  readonly columns: readonly TargetColumn[];
}

const stagesOfSession = new WeakMap<Database, Map<string, StageTable>>();

/** Makes sure that the stage for these columns of a table exists. Within the open transaction: when that is rolled back, a new stage is
 * gone, which the next call repairs. */
export async function openStage(
  target: Database,
  table: TargetTable,
  columns: readonly TargetColumn[],
): Promise<StageTable> {
  const definition = columns
    .map(
      (column, nr) => `c${nr} ${column.type}${column.collation === "" ? "" : ` collate ${column.collation}`}`,
    )
    .join(", ");
  const hash = createHash("sha256").update(`${table.sqlName} ${definition}`).digest("hex").slice(0, 24);
  const stages = stagesOfSession.get(target) ?? new Map<string, StageTable>();
  stagesOfSession.set(target, stages);
  const name = `pg_temp.londiste_${hash}`;
  await target.execute(
    `create temporary table if not exists londiste_${hash} (ev_id int8 not null, ev_txid int8, op "char" not null, ${definition})
       on commit delete rows`,
  );
  const stage = { name, columns };
  stages.delete(name);
  stages.set(name, stage);
  const [oldest] = stages.keys();
  if (stages.size > maxStages && oldest !== undefined) {
    stages.delete(oldest);
    await target.execute(`drop table if exists ${oldest}`);
  }
  return stage;
}

/** Empties a stage that is used again in the same transaction. */
export async function clearStage(target: Database, stage: StageTable): Promise<void> {
  await target.execute(`truncate ${stage.name}`);
}

/** Drops all stages of the session: what a script changes, types for example, must not hang on them. */
export async function dropStages(target: Database): Promise<void> {
  const stages = [...(stagesOfSession.get(target)?.keys() ?? [])];
  stagesOfSession.delete(target);
  if (stages.length > 0) await target.execute(`drop table if exists ${stages.join(", ")}`);
}
