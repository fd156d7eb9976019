import { bulkTreatment, type RowsTreatment } from "@skytools/londiste/apply";

/** Values of `load_method`: numbers as ever, and names. Source: spec/scripts.md section 5 */
export const loadMethods: readonly string[] = ["0", "1", "2", "3", "correct", "delete", "merged", "insert"];

/** How rows are loaded by a method. */
export function loadTreatment(method: string, missingRows: "warn" | "error"): RowsTreatment {
  const number = loadMethods.indexOf(method) % 4;
  if (number < 3) return { ...bulkTreatment(String(number)), missingRows };
  return {
    isAlwaysSet: true,
    operations: { update: "refused", delete: "refused" },
    truncate: "refused",
  };
}
