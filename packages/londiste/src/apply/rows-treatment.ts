import type { RowOperation } from "./event-kind.ts";

/** How the rows of a table are applied, where it is not just a repetition of what happened on the source. */
export interface RowsTreatment {
  /** operations that delete the row of that key, if there is one, and insert it */
  readonly replaces?: "updates" | "updates and inserts" | undefined;
  /** SQL condition over the columns: rows that do not meet it are not kept here */
  readonly condition?: string | undefined;
  /** even a few rows are applied as a set */
  readonly isAlwaysSet?: boolean | undefined;
  /** updates and deletes that find no row: told about, where they go as a set; an error; left out: counted */
  readonly missingRows?: "warn" | "error" | undefined;
  /** what an operation counts as: another one, nothing, an error; left out: itself */
  readonly operations?: Readonly<Partial<Record<RowOperation, RowOperation | "ignored" | "refused">>>;
  /** what TRUNCATE of the source does: left out: empties the table here; nothing; an error */
  readonly truncate?: "ignored" | "refused" | undefined;
}

/** What happened on the source. */
export const plainTreatment: RowsTreatment = {};

/** True when the values of the columns are needed to decide what becomes of an event: partial SQL is then not applied as it is. */
export function needsColumns({ replaces, condition, operations }: RowsTreatment): boolean {
  return replaces !== undefined || condition !== undefined || operations !== undefined;
}

/** True when the outcome for a row depends on the table, or on all changes of the row: rows cannot be applied as they come then,
 * even if all keys differ. */
export function needsFolding({ replaces, condition }: RowsTreatment): boolean {
  return replaces !== undefined || condition !== undefined;
}

/** True when every operation adds a row or does nothing; none changes or removes one. */
export function onlyInserts({ operations }: RowsTreatment): boolean {
  return (
    operations?.update !== undefined &&
    operations.delete !== undefined &&
    [operations.insert ?? "insert", operations.update, operations.delete].every(
      (operation) => !["update", "delete"].includes(operation),
    )
  );
}
