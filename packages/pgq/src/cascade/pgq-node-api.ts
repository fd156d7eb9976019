/* The functions of schema pgq_node; only the files in pgq-node/ spell their calls. Those that read leave the transaction open;
 * those that change something go through execCommand and commit unless told otherwise.
 * Source: spec/sql-node-londiste.md section 4 */

export {
  getCompletedTick,
  otherTimeOfCompleted,
  setConsumerCompletedAt,
  storesTickTimes,
  type TimedTick,
} from "./pgq-node/completed-tick.ts";
export {
  changeConsumerProvider,
  getCascadedConsumers,
  getConsumerState,
  lockConsumerState,
  registerCascadedConsumer,
  setConsumerCompleted,
  setConsumerError,
  setConsumerPaused,
  setConsumerUptodate,
  unregisterCascadedConsumer,
} from "./pgq-node/consumer.ts";
export {
  getQueueLocations,
  getSubscriberInfo,
  registerLocation,
  registerSubscriber,
  unregisterLocation,
  unregisterSubscriber,
} from "./pgq-node/member.ts";
export {
  createNode,
  deleteEventsAfter,
  demoteRoot,
  dropNode,
  getNodeInfo,
  type NewNode,
  promoteBranch,
  renameNode,
  setNodeAttributes,
} from "./pgq-node/node.ts";
export {
  isRefusal,
  type NodeCall,
  type Refusal,
} from "./pgq-node/node-call.ts";
export {
  setGlobalWatermark,
  setPartitionWatermark,
  setSubscriberWatermark,
} from "./pgq-node/watermark.ts";
