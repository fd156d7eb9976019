/* The functions of schema pgq; only the files in pgq/ spell their calls. None of these functions commits: the caller owns the
 * transaction. Parameters are cast because several of the functions are overloaded. Source of all: spec/sql-pgq.md section 3. */

export {
  batchEventSql,
  deleteEvent,
  finishBatch,
  getBatchInfo,
  nextBatch,
  retryEvent,
} from "./pgq/batch.ts";
export {
  type ConsumerInfo,
  getConsumerInfo,
  registerConsumer,
  registerConsumerAt,
  unregisterConsumer,
} from "./pgq/consumer.ts";
export { currentEventTable, highestEventId, insertEvent, type NewEvent } from "./pgq/event.ts";
export {
  createQueue,
  dropQueue,
  getQueueInfo,
  type QueueInfo,
  renameQueue,
  setQueueConfig,
} from "./pgq/queue.ts";
export { forceTick, mirrorTick, newestTick, spanToNewestTick, type TickInfo, tickAll } from "./pgq/tick.ts";
