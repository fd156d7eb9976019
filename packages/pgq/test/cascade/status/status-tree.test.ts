import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compactStatus, type NodeStatus, statusTree } from "#src/cascade/index.js";
import { compactDuration } from "#src/cascade/status/status-tree.js";

function node(nodeName: string, values: Partial<NodeStatus>): NodeStatus {
  return {
    nodeName,
    type: "leaf",
    location: `dbname=${nodeName}`,
    service: null,
    providerNode: null,
    lagSeconds: null,
    tickId: null,
    isPaused: false,
    isUptodate: true,
    attributes: new Map(),
    lines: [],
    fields: {},
    errors: [],
    failure: null,
    legs: null,
    stuckReason: null,
    ...values,
  };
}

const plain = { isColored: false, hasLegs: false };

const fiveNodes: NodeStatus[] = [
  node("bergen", { type: "dead", isPaused: true, isUptodate: false }),
  node("oslo", { type: "root", lagSeconds: 2.4, tickId: 9042n, lines: ["Tables: 12/0/3"] }),
  node("riga", {
    type: "branch",
    providerNode: "oslo",
    service: "riga_db",
    lagSeconds: 4,
    tickId: 9041n,
    attributes: new Map([["sync_watermark", "riga,vilnius"]]),
    lines: ["Tables: 11/1/3"],
  }),
  node("tartu", {
    providerNode: "oslo",
    lagSeconds: 3715,
    tickId: 8311n,
    isPaused: true,
    isUptodate: false,
    lines: ["Tables: 4/0/11"],
  }),
  node("vilnius", {
    type: "branch",
    providerNode: "riga",
    lagSeconds: 9,
    tickId: 9040n,
    lines: ["Tables: 15/0/0"],
    errors: [
      { consumerName: "vilnius_w", message: "duplicate key value violates unique constraint\nDETAIL" },
    ],
  }),
];

describe("the status tree", () => {
  it("draws nodes below their providers, deepest last, with what is known about each", () => {
    const tree = statusTree({ queueName: "orders", localNode: "riga", nodes: fiveNodes }, plain);
    assert.deepEqual(tree.split("\n"), [
      "Queue: orders   Local node: riga",
      "",
      "oslo (root)",
      "  |                           Tables: 12/0/3",
      "  |                           Lag: 2s, Tick: 9042",
      "  +--: tartu (leaf)",
      "  |                           Tables: 4/0/11",
      "  |                           Lag: 1h1m55s, Tick: 8311, PAUSED, NOT UPTODATE",
      "  +--: riga (branch, riga_db)",
      "     |                        Tables: 11/1/3",
      "     |                        Lag: 4s, Tick: 9041",
      "     |                        Attr: sync_watermark=riga,vilnius",
      "     +--: vilnius (branch)",
      "                              Tables: 15/0/0",
      "                              Lag: 9s, Tick: 9040",
      "                              ERR: vilnius_w: duplicate key value violates unique constraint",
      "bergen (dead)",
      "                              Lag: (n/a), PAUSED, NOT UPTODATE",
      "",
    ]);
  });

  it("shows nodes that provide for each other", () => {
    const nodes = [
      node("a", { type: "branch", providerNode: "b" }),
      node("b", { type: "branch", providerNode: "a" }),
    ];
    const tree = statusTree({ queueName: "q", localNode: "a", nodes }, plain);
    assert.match(tree, /^a \(branch\)$/m);
    assert.match(tree, /^ {2}\+--: b \(branch\)$/m);
  });

  it("colours a lag above a minute only when asked to", () => {
    const nodes = [node("a", { type: "root", lagSeconds: 61 })];
    const status = { queueName: "q", localNode: "a", nodes };
    assert.ok(statusTree(status, { isColored: true, hasLegs: false }).includes("\u001b[31m1m1s\u001b[0m"));
    assert.ok(!statusTree(status, plain).includes("\u001b"));
  });

  it("has a form with one line a node", () => {
    const lines = compactStatus({ queueName: "q", localNode: "oslo", nodes: fiveNodes }, plain).split("\n");
    assert.equal(lines[2], `${"oslo (root)".padEnd(60)}${"Tables: 12/0/3".padEnd(30)}Lag: 2s, Tick: 9042`);
    assert.match(lines[3]!, /^ {3}tartu \(leaf\) {45}Tables: 4\/0\/11/);
  });
});

describe("a duration in the status tree", () => {
  const cases: [number, string][] = [
    [0, "0s"],
    [59.9, "59s"],
    [60, "1m0s"],
    [3600, "1h0s"],
    [2 * 86_400 + 3 * 3600 + 5, "2d3h5s"],
  ];
  for (const [seconds, text] of cases) {
    it(`of ${seconds} seconds is ${text}`, () => assert.equal(compactDuration(seconds), text));
  }
});
