import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NodeInfo } from "#src/cascade/node-info.js";
import { workerRole } from "#src/cascade/worker-role.js";

const leaf: NodeInfo = {
  queueName: "q",
  nodeType: "leaf",
  nodeName: "tartu",
  globalWatermark: null,
  localWatermark: 1n,
  providerNode: "oslo",
  providerLocation: "dbname=oslo",
  combinedQueue: null,
  combinedType: null,
  workerName: "w",
  isWorkerPaused: false,
  isWorkerUptodate: true,
  workerLastTick: 1n,
  attributes: new Map(),
  targetFor: [],
};

/* The table of spec/cascade.md 7.1. */
describe("what a worker does on its node", () => {
  const shown = (node: Partial<NodeInfo>) => {
    const role = workerRole({ ...leaf, ...node }, true);
    const does = [
      ["reads", role.readsBatches],
      ["applies", role.appliesData],
      [role.copyTo === null ? "" : `copies to ${role.copyTo.queueName} (${role.copyTo.kind})`, true],
      ["mirrors", role.mirrorsTicks],
      ["waits", role.waitsBehind],
      ["follows watermark", role.followsGlobalWatermark],
      ["publishes", role.publishesGlobalWatermark],
      ["reports", role.reportsLocalWatermark],
    ] as const;
    return does.flatMap(([what, isSo]) => (isSo && what !== "" ? [what] : [])).join(", ");
  };

  const cases: [string, Partial<NodeInfo>, string][] = [
    ["a root", { nodeType: "root" }, "publishes"],
    [
      "a branch",
      { nodeType: "branch" },
      "reads, applies, copies to q (mirror), mirrors, follows watermark, reports",
    ],
    [
      "a branch with sync_watermark",
      { nodeType: "branch", attributes: new Map([["sync_watermark", "a,b"]]) },
      "reads, applies, copies to q (mirror), mirrors, reports",
    ],
    ["a leaf", {}, "reads, applies, reports"],
    [
      "a leaf that is merged into a combined root",
      { combinedQueue: "c", combinedType: "root" },
      "reads, applies, copies to c (merge), reports",
    ],
    [
      "a leaf beside a combined branch",
      { combinedQueue: "c", combinedType: "branch" },
      "reads, waits, reports",
    ],
  ];
  for (const [what, node, does] of cases) it(`of ${what}`, () => assert.equal(shown(node), does));

  it("of any other consumer is to apply events, and nothing else", () => {
    const { isNodeWorker, readsBatches, appliesData, copyTo } = workerRole(
      { ...leaf, nodeType: "root" },
      false,
    );
    assert.deepEqual(
      { isNodeWorker, readsBatches, appliesData, copyTo },
      { isNodeWorker: false, readsBatches: true, appliesData: true, copyTo: null },
    );
  });

  it("is refused where node and combined queue make no sense together", () => {
    assert.throws(() => shown({ combinedQueue: "c", combinedType: "leaf" }), /invalid state 1: node "tartu"/);
    assert.throws(
      () => shown({ nodeType: "branch", combinedQueue: "c" }),
      /invalid state 3: only a leaf|invalid state 3/,
    );
  });
});
