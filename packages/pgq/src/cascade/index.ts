export { batchCollection, configuredConsumer, configuredQueue } from "../consumer/configured.ts";
export { commitDurably, durableCommits } from "../durable-commits.ts";
export type {
  CascadeAdmin,
  CascadeHooks,
  CreatedNode,
  LeafAhead,
  LostEventCounter,
  NewRoot,
  NodeNames,
  NodeStatusLines,
  Renaming,
  TakeoverProblem,
} from "./cascade-admin.ts";
export { cascadeConfig } from "./cascade-config.ts";
export { isCascadeEvent, refuseRetriedEvent, unhandledEvent } from "./cascade-event.ts";
export type {
  BatchOutcome,
  CascadedApplication,
  CascadedBatch,
  CascadeRound,
} from "./cascaded-application.ts";
export { type CascadedConsumerProgram, cascadedConsumerProgram } from "./cascaded-consumer.ts";
export { cascadedWorker } from "./cascaded-worker.ts";
export type { CascadedWorkerOptions } from "./cascaded-worker-options.ts";
export { changeProvider } from "./command/change-provider.ts";
export { cascadeCommands } from "./command/command-table.ts";
export { createBranch } from "./command/create-branch.ts";
export { createLeaf } from "./command/create-leaf.ts";
export { createRoot } from "./command/create-root.ts";
export { dropCascadeNode } from "./command/drop-node.ts";
export { listMembers, type Members } from "./command/members.ts";
export type { NodeCreation } from "./command/node-creation.ts";
export { describeNode, type NodeDescription, nodeInfoLines } from "./command/node-info.ts";
export { type PauseResult, pauseConsumer } from "./command/pause.ts";
export { renameCascadeNode } from "./command/rename-node.ts";
export { resumeConsumer } from "./command/resume.ts";
export { resurrect } from "./command/resurrect.ts";
export { type NodeConsumers, showConsumers } from "./command/show-consumers.ts";
export { statusAsJson } from "./command/status.ts";
export { tagNode } from "./command/tag.ts";
export { takeover } from "./command/takeover.ts";
export { waitProvider } from "./command/wait-provider.ts";
export { waitRoot } from "./command/wait-root.ts";
export { registerOnProvider, unregisterFromProvider } from "./consumer-registration.ts";
export { type ConsumerPlace, readConsumer, waitForConsumer } from "./consumer-wait.ts";
export { type EventByEventApplication, eventByEvent } from "./event-by-event.ts";
export {
  findRoot,
  membersOf,
  nodeOf,
  openLocal,
  openLocation,
  requireLocalNode,
} from "./node-connection.ts";
export type {
  CascadedConsumerInfo,
  ConsumerState,
  NodeInfo,
  NodeLocation,
  NodeType,
  ReachedNode,
  SubscriberInfo,
} from "./node-info.ts";
export {
  createNode,
  dropNode,
  getCascadedConsumers,
  getConsumerState,
  getNodeInfo,
  getQueueLocations,
  getSubscriberInfo,
  isRefusal,
  lockConsumerState,
  type NewNode,
  type NodeCall,
  type Refusal,
  registerCascadedConsumer,
  registerLocation,
  registerSubscriber,
  setConsumerCompleted,
  setConsumerError,
  setConsumerPaused,
  setConsumerUptodate,
  setGlobalWatermark,
  setNodeAttributes,
  setPartitionWatermark,
  setSubscriberWatermark,
  unregisterCascadedConsumer,
  unregisterLocation,
  unregisterSubscriber,
} from "./pgq-node-api.ts";
export { timeoutSeconds } from "./plan/planned-command.ts";
export { queueOnly } from "./queue-only.ts";
export { repositionSwitches, resetPosition, rewindProvider } from "./reposition.ts";
export { type NodeStatus, type QueueStatus, readQueueStatus } from "./status/node-status.ts";
export { compactStatus, type StatusLook, statusTree } from "./status/status-tree.ts";
export { troubleOnTheWay } from "./status/way-trouble.ts";
export { hasCompletedTick } from "./tick-identity.ts";
export { WaitReport } from "./wait-report.ts";
export type { QueueCopy, WorkerRole } from "./worker-role.ts";
export { workerRole } from "./worker-role.ts";
