/** How the rows of a table are applied, where that is not simply what happened on the source. */
export interface RowsTreatment {
  /** these delete the row of the same key and insert it, whether it was there or not */
  readonly replaces?: "updates" | "updates and inserts" | undefined;
  /** SQL over the columns: rows that do not meet it are not to be here */
  readonly condition?: string | undefined;
  /** also few rows go as a set, and rows that were not found are told about */
  readonly isAlwaysSet?: boolean | undefined;
}

/** What happened on the source. */
export const plainTreatment: RowsTreatment = {};
