import { SkytoolsError } from "@skytools/skytools";
import type { Move } from "@skytools/testbed";
import { batchPosition } from "#src/cascade/position.js";
import { tickBeforeBatch, tickOfAppliedBatch } from "#src/cascade/tick-recovery.js";
import { workerRole } from "#src/cascade/worker-role.js";
import { newNode } from "../node-info.js";
import {
  type Hand,
  type ModelBatch,
  type ModelNode,
  type ModelNodes,
  newestTickOf,
  withEntry,
  withNode,
  workerName,
} from "./set-world.js";

/* What workers do, one transaction a move. branch-world.ts looks at one of them more closely. */

/** How workers tell that they have seen a change of their row.
 * - at once: as if that were one transaction with the reading
 * - later: as it is, with time for others in between */
export type Answering = "at once" | "later";

/** What every worker can do next. */
export function workerMoves(nodes: ModelNodes, answering: Answering): Move<ModelNodes>[] {
  return Object.keys(nodes).flatMap((name) => workerMove(nodes, name, answering) ?? []);
}

/** A worker that has only to say that it has seen a change: nobody gains anything by its being late. */
export function mereAnswer(nodes: ModelNodes): Move<ModelNodes> | undefined {
  const name = Object.keys(nodes).find((each) => {
    const node = nodes[each]!;
    return (
      node.isUp && !node.isUptodate && node.hand === null && openedHand(nodes, each, node, node) === null
    );
  });
  return name === undefined ? undefined : workerMove(nodes, name, "at once");
}

/** What the worker of a node can do next. */
export function workerMove(
  nodes: ModelNodes,
  name: string,
  answering: Answering,
): Move<ModelNodes> | undefined {
  const node = nodes[name]!;
  const next = node.isUp ? nextOf(nodes, name, node, answering) : undefined;
  return next === undefined ? undefined : { name: `${name} ${next.name}`, make: next.make };
}

function nextOf(
  nodes: ModelNodes,
  name: string,
  node: ModelNode,
  answering: Answering,
): Move<ModelNodes> | undefined {
  const { hand, isUptodate, isPaused, provider, completed } = node;
  switch (hand?.kind) {
    case undefined: {
      const seen = { isPaused, provider, completed };
      if (!isUptodate && answering === "at once") return answers(nodes, name, seen);
      if (!isUptodate) {
        return { name: "looks", make: () => withNode(nodes, name, { hand: { kind: "looked", ...seen } }) };
      }
      const opened = openedHand(nodes, name, node, seen);
      if (opened === null) return undefined;
      return { name: "opens a batch", make: () => withNode(nodes, name, { hand: opened }) };
    }
    case "looked":
      return answers(nodes, name, hand);
    case "opened":
      return { name: "applies", make: () => settled(withNode(nodes, name, applied(node, hand.batch)), name) };
    case "applied":
      return { name: "ticks", make: () => settled(withNode(nodes, name, ticked(node, hand.batch)), name) };
    case "done":
      return { name: "finishes", make: () => finished(nodes, name, hand.batch) };
  }
}

function answers(nodes: ModelNodes, name: string, seen: Seen): Move<ModelNodes> {
  const hand = openedHand(nodes, name, nodes[name]!, seen);
  return { name: "answers", make: () => withNode(nodes, name, { isUptodate: true, hand }) };
}

/** What a worker has read of its row. */
type Seen = Pick<ModelNode, "isPaused" | "provider" | "completed">;

/** The next batch of the provider; null where there is none, or it does not answer. */
function openedHand(nodes: ModelNodes, name: string, { type }: ModelNode, seen: Seen): Hand | null {
  const source = nodes[seen.provider]!;
  const place = source.places[workerName(name)];
  if (seen.isPaused || type === "root" || !source.isUp || place === undefined) return null;
  const at = source.ticks.findIndex(({ id }) => id === place);
  const [previous, tick] = [source.ticks[at], source.ticks[at + 1]];
  if (previous === undefined || tick === undefined) return null;
  const { provider, completed } = seen;
  const events = source.events.slice(previous.events, tick.events);
  const batch: ModelBatch = {
    provider,
    completed,
    events,
    previous: { id: previous.id, time: previous.time },
    tick: { id: tick.id, time: tick.time },
  };
  return isAcceptable(batch) ? { kind: "opened", batch } : null;
}

/** A batch that the worker refuses stays open, again and again. */
function isAcceptable(batch: ModelBatch): boolean {
  return placeOf(batch) !== undefined;
}

function placeOf(batch: ModelBatch): "due" | "applied" | undefined {
  const role = workerRole(
    newNode({ nodeType: "leaf", nodeName: "leaf", providerNode: batch.provider }),
    true,
  );
  const state = {
    nodeType: "leaf",
    nodeName: "leaf",
    completedTick: BigInt(batch.completed),
    providerNode: batch.provider,
    providerLocation: "",
    isPaused: false,
    isUptodate: true,
    currentError: null,
  } as const;
  const info = {
    batchId: 1n,
    tickId: BigInt(batch.tick.id),
    previousTickId: BigInt(batch.previous.id),
    tickTime: batch.tick.time,
    previousTickTime: batch.previous.time,
    tickEventSeq: null,
    previousTickEventSeq: null,
  };
  try {
    const place = batchPosition(info, { state, role, queueName: "q", consumerName: "worker" });
    return place === "due" || place === "applied" ? place : undefined;
  } catch (error) {
    if (error instanceof SkytoolsError) return undefined;
    throw error;
  }
}

/** A provider that is gone will not be told. */
function settled(nodes: ModelNodes, name: string): ModelNodes {
  const { hand } = nodes[name]!;
  const isOver = hand?.kind === "done" && !nodes[hand.batch.provider]!.isUp;
  return isOver ? withNode(nodes, name, nothing) : nodes;
}

const nothing: Partial<ModelNode> = { hand: null };

/** The target's transaction, with what is checked behind its lock. */
function applied(node: ModelNode, batch: ModelBatch): Partial<ModelNode> {
  const ids = { tickId: BigInt(batch.tick.id), previousTickId: BigInt(batch.previous.id) };
  const newest = newestTickOf(node);
  if (placeOf(batch) === "applied") {
    if (isOther(node, batch.tick)) return nothing;
    if (node.type === "leaf") return { hand: { kind: "done", batch } };
    const tick = tickOfAppliedBatch(BigInt(newest!.id), ids);
    if (tick === "misplaced") return nothing;
    if (tick === "missing") return { hand: { kind: "applied", batch } };
    return newest!.time === batch.tick.time ? { hand: { kind: "done", batch } } : nothing;
  }
  if (node.type === "branch") {
    const former = tickBeforeBatch(BigInt(newest!.id), ids);
    if (former === "misplaced") return nothing;
    if (former === "missing") {
      if (isOther(node, batch.previous)) return nothing;
      return { ticks: [...node.ticks, { ...batch.previous, events: node.events.length }] };
    }
  }
  if (isHeldBack(node, batch)) return nothing;
  return {
    events: [...node.events, ...batch.events],
    completed: batch.tick.id,
    completedTime: batch.tick.time,
    hand: { kind: node.type === "leaf" ? "done" : "applied", batch },
  };
}

function isHeldBack(node: ModelNode, { completed, previous }: ModelBatch): boolean {
  return node.isPaused || node.completed !== completed || isOther(node, previous);
}

/** The provider's tick has the id of the completed one and is another one. */
function isOther(node: ModelNode, tick: ModelBatch["tick"]): boolean {
  return node.completed === tick.id && node.completedTime !== null && node.completedTime !== tick.time;
}

/** The tick is a transaction of its own. Where it is there already, the worker fails and starts over. */
function ticked(node: ModelNode, batch: ModelBatch): Partial<ModelNode> {
  if (node.ticks.some(({ id }) => id === batch.tick.id)) return nothing;
  const ticks = [...node.ticks, { ...batch.tick, events: node.events.length }];
  return { ticks: ticks.toSorted((a, b) => a.id - b.id), hand: { kind: "done", batch } };
}

function finished(nodes: ModelNodes, name: string, batch: ModelBatch): ModelNodes {
  const source = nodes[batch.provider]!;
  const worker = workerName(name);
  const idle = withNode(nodes, name, { hand: null });
  // a batch that somebody else has closed, or whose consumer is gone
  if (!source.isUp || source.places[worker] !== batch.previous.id) return idle;
  return withNode(idle, batch.provider, { places: withEntry(source.places, worker, batch.tick.id) });
}
