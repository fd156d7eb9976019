export type { BatchCollection, BatchInfo } from "./batch.ts";
export { type Batch, type BatchesOptions, batches } from "./batch-iterator.ts";
export { copyEventBlocks, copyEvents, filteredBatchSql, unordered } from "./batch-reader.ts";
export { BaseConsumer, type ConsumerBatch, type ConsumerDatabases } from "./consumer/base-consumer.ts";
export { readBatchCursor } from "./consumer/batch-cursor.ts";
export { batchCollection, configuredConsumer, configuredQueue } from "./consumer/configured.ts";
export { configuredCursor } from "./consumer/configured-cursor.ts";
export { ConsumedEvent } from "./consumer/consumed-event.ts";
export { Consumer } from "./consumer/consumer.ts";
export { type ConsumerClass, type ConsumerProgram, consumerProgram } from "./consumer/consumer-program.ts";
export { CoopConsumer } from "./consumer/coop-consumer.ts";
export { configuredFilter, tableFilter } from "./consumer/event-filter.ts";
export { EventList } from "./consumer/event-list.ts";
export { LocalConsumer } from "./consumer/local-consumer.ts";
export { RemoteConsumer } from "./consumer/remote-consumer.ts";
export { SerialConsumer } from "./consumer/serial-consumer.ts";
export { TickFile } from "./consumer/tick-file.ts";
export { CopyTextRows, eventFromCopyLine } from "./copy-text.ts";
export type { PgqEvent } from "./event.ts";
export { describeEvent, eventColumns } from "./event.ts";
export { HighestId } from "./highest-id.ts";
export { insertEventsByCall } from "./insert-by-call.ts";
export {
  batchEventSql,
  type ConsumerInfo,
  createQueue,
  currentEventTable,
  deleteEvent,
  dropQueue,
  finishBatch,
  forceTick,
  getBatchInfo,
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
  renameQueue,
  retryEvent,
  setQueueConfig,
  type TickInfo,
  tickAll,
  unregisterConsumer,
} from "./pgq-api.ts";
export { type CoopMember, registerSubconsumer, unregisterSubconsumer } from "./pgq-coop-api.ts";
export { type BulkEvent, type BulkInsertOptions, insertEvents } from "./producer.ts";
