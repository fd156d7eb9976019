import type { RowOperation } from "./event-kind.ts";

/** How the rows of a table are applied, where that is not simply what happened on the source. */
export interface RowsTreatment {
  /** these delete the row of the same key and insert it, whether it was there or not */
  readonly replaces?: "updates" | "updates and inserts" | undefined;
  /** SQL over the columns: rows that do not meet it are not to be here */
  readonly condition?: string | undefined;
  /** also few rows go as a set */
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

/** True when what comes of an event takes the values of its columns: partial SQL is not applied as it is then. */
export function needsColumns({ replaces, condition, operations }: RowsTreatment): boolean {
  return replaces !== undefined || condition !== undefined || operations !== undefined;
}

/** True when it takes a look at the table, or at all changes of a row, to know what becomes of it: rows of different keys cannot
 * simply be applied as they come. */
export function needsFolding({ replaces, condition }: RowsTreatment): boolean {
  return replaces !== undefined || condition !== undefined;
}

/** True when whatever happens to a row gives another row, or nothing. */
export function onlyInserts({ operations }: RowsTreatment): boolean {
  return (
    operations?.update !== undefined &&
    operations.delete !== undefined &&
    [operations.insert ?? "insert", operations.update, operations.delete].every(
      (operation) => !["update", "delete"].includes(operation),
    )
  );
}
