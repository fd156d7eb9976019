export type { BatchCollection, BatchInfo } from "./batch.ts";
export { copyEventBlocks, copyEvents, filteredBatchSql } from "./batch-reader.ts";
export { CopyTextRows, eventFromCopyLine } from "./copy-text.ts";
export type { PgqEvent } from "./event.ts";
export { describeEvent, eventColumns } from "./event.ts";
export * from "./pgq-api.ts";
