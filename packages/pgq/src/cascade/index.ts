export type { CascadeAdmin, CascadeHooks, CreatedNode, NodeStatusLines } from "./cascade-admin.ts";
export { batchCollection, cascadeConfig, configuredConsumer, configuredQueue } from "./cascade-config.ts";
export { isCascadeEvent, refuseRetriedEvent, unhandledEvent } from "./cascade-event.ts";
export type {
  BatchOutcome,
  CascadedApplication,
  CascadedBatch,
  CascadeRound,
} from "./cascaded-application.ts";
export { type CascadedWorkerOptions, cascadedWorker } from "./cascaded-worker.ts";
export { type EventByEventApplication, eventByEvent } from "./event-by-event.ts";
export type {
  CascadedConsumerInfo,
  ConsumerState,
  NodeInfo,
  NodeLocation,
  NodeType,
  SubscriberInfo,
} from "./node-info.ts";
export * from "./pgq-node-api.ts";
export { copyEventsToQueue } from "./queue-copy.ts";
export type { WorkerRole } from "./worker-role.ts";
export { workerRole } from "./worker-role.ts";
