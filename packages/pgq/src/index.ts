export type { BatchCollection, BatchInfo } from "./batch.ts";
export { type Batch, type BatchesOptions, batches } from "./batch-iterator.ts";
export { copyEventBlocks, copyEvents, filteredBatchSql } from "./batch-reader.ts";
export { CopyTextRows, eventFromCopyLine } from "./copy-text.ts";
export type { PgqEvent } from "./event.ts";
export { describeEvent, eventColumns } from "./event.ts";
export {
  batchEventSql,
  type ConsumerInfo,
  createQueue,
  currentEventTable,
  dropQueue,
  finishBatch,
  forceTick,
  getConsumerInfo,
  getQueueInfo,
  highestEventId,
  insertEvent,
  mirrorTick,
  type NewEvent,
  newestTick,
  nextBatch,
  type QueueInfo,
  registerConsumer,
  registerConsumerAt,
  retryEvent,
  setQueueConfig,
  type TickInfo,
  tickAll,
  unregisterConsumer,
} from "./pgq-api.ts";
export { type BulkEvent, insertEvents } from "./producer.ts";
