import { UsageError } from "@skytools/skytools";
import type { RowsTreatment } from "../apply/rows-treatment.ts";
import type { Handler, HandlerArgument } from "./handler.ts";
import { ignoresTruncate, ignoreTruncateArgument } from "./truncate-argument.ts";

export const methodArgument: HandlerArgument = {
  name: "method",
  doc: "0: insert, update, delete as they are; 1: updates delete and insert; 2: inserts too replace what is there",
  default: "0",
};

const treatments: readonly RowsTreatment[] = [
  {},
  { replaces: "updates" },
  { replaces: "updates and inserts" },
];

/** How rows are loaded by a method of the bulk loader.
 * @throws UsageError
 * Source: spec/londiste.md 12.6 */
export function bulkTreatment(method: string): RowsTreatment {
  const treatment = treatments[Number(method)];
  if (treatment === undefined) throw new UsageError(`unknown method: ${method}`);
  return { ...treatment, isAlwaysSet: true, missingRows: "warn" };
}

export const bulkHandler: Handler = {
  name: "bulk",
  summary: "loads changes in bulk, however few, and tells when rows were missing",
  doc: `Batches are applied as sets by every handler; this one does so always, can replace rows instead of updating them, and
warns when fewer rows were updated or deleted than the events say.`,
  arguments: [methodArgument, ignoreTruncateArgument],
  create: (table) => ({
    ignoresTruncate: ignoresTruncate(table),
    rows: bulkTreatment(table.arguments.get("method") ?? "0"),
  }),
};
