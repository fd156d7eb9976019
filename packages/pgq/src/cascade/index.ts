export type { CascadeAdmin, CascadeHooks, CreatedNode, NodeStatusLines } from "./cascade-admin.ts";
export type {
  BatchOutcome,
  CascadedApplication,
  CascadedBatch,
  CascadeRound,
} from "./cascaded-application.ts";
export type { CascadedWorkerFactory, CascadedWorkerOptions } from "./cascaded-worker.ts";
export type {
  CascadedConsumerInfo,
  ConsumerState,
  NodeInfo,
  NodeLocation,
  NodeType,
  SubscriberInfo,
} from "./node-info.ts";
export type { WorkerRole } from "./worker-role.ts";
export { workerRole } from "./worker-role.ts";
