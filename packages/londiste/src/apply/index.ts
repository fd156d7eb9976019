export { unordered } from "@skytools/pgq";
export { bulkTreatment } from "../handler/bulk.ts";
export type { DispatchRules } from "../handler/dispatch/dispatch-rules.ts";
export { DispatchSink } from "../handler/dispatch/dispatch-sink.ts";
export { FieldMap } from "../handler/dispatch/field-map.ts";
export { PartitionMaker, type PartitionRules } from "../handler/dispatch/partition-maker.ts";
export { type Period, parsePartitionTime } from "../handler/dispatch/partition-time.ts";
export type { TableHandler } from "../handler/handler.ts";
export { openApplySession, openSourceSession } from "../replication-session.ts";
export {
  type ApplyInput,
  type ApplyLimits,
  type ApplyResult,
  applyBatch,
  expectedEvents,
} from "./apply-batch.ts";
export type { AppliedTable, FirstEvent, FoundTable, TableFinder } from "./batch-tables.ts";
export type { RowsTreatment } from "./rows-treatment.ts";
export { loadTargetTables } from "./target-table.ts";
