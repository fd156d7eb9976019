import type { NodeInfo } from "#src/cascade/node-info.js";

/** A node at its start, before any batch, as the code under test reads it. */
export function newNode(place: Pick<NodeInfo, "nodeType" | "nodeName" | "providerNode">): NodeInfo {
  return {
    ...place,
    queueName: "q",
    globalWatermark: null,
    localWatermark: null,
    providerLocation: "",
    combinedQueue: null,
    combinedType: null,
    workerName: "worker",
    isWorkerPaused: false,
    isWorkerUptodate: true,
    workerLastTick: 0n,
    attributes: new Map(),
    targetFor: [],
  };
}
