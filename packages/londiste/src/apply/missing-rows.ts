import { type Log, SkytoolsError } from "@skytools/skytools";
import type { RowsTreatment } from "./rows-treatment.ts";
import type { SetCounts } from "./set-statement.ts";

/** Reports updates and deletes that found no row, as far as the treatment asks for it.
 * @param table its name
 * @throws SkytoolsError MISSING_ROWS where that is an error */
export function tellMissingRows(
  log: Log,
  table: string,
  { missingRows }: RowsTreatment,
  { updated, deleted, missing_updates: noUpdate, missing_deletes: noDelete }: SetCounts,
): void {
  if (missingRows === undefined) return;
  const mismatches = [
    ...(noDelete > 0n ? [`Delete mismatch: expected=${deleted + noDelete} deleted=${deleted}`] : []),
    ...(noUpdate > 0n ? [`Update mismatch: expected=${updated + noUpdate} updated=${updated}`] : []),
  ];
  for (const mismatch of mismatches) {
    const text = `${table}: ${mismatch}`;
    if (missingRows === "error") throw new SkytoolsError("MISSING_ROWS", text, { retry: "later" });
    log.warn(text);
  }
}

/** How many updates and deletes found no row. */
export function countMissingRows({
  missing_updates: noUpdate,
  missing_deletes: noDelete,
}: SetCounts): number {
  return [noUpdate, noDelete].reduce((sum, count) => sum + missing(count), 0);
}

/** Without a unique index one change may hit several rows; they do not make up for one that found none. */
function missing(count: bigint): number {
  return count > 0n ? Number(count) : 0;
}
