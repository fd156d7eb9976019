import { type Database, SkytoolsError } from "@skytools/skytools";

/** The error for a batch that is not open any more. */
export function batchGone(source: Database, batchId: bigint): SkytoolsError {
  return new SkytoolsError("BATCH_GONE", `batch ${batchId} was closed by somebody else on ${source.label}`, {
    retry: "later",
    hint: "Another process probably runs under the same consumer name; stop one.",
  });
}
