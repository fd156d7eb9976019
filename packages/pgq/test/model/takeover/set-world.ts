import type { NodeType } from "#src/cascade/node-info.js";

/* A set of nodes, as far as positions, ticks, registrations and roles go. Each batch holds one event, which is called by the node that has
 * taken it and its number there. */

/** A tick of a node's queue. */
export interface ModelTick {
  readonly id: number;
  /** tells it from another one of the same id */
  readonly time: string;
  /** how many events of the queue lie before it */
  readonly events: number;
}

/** What a worker process has in hand; gone when it is killed.
 * - looked: it has read its row, where somebody has changed something, and not yet said so
 * - opened: a batch of its provider
 * - applied: that batch is committed, on a branch without its tick
 * - done: only the provider does not know yet */
export type Hand =
  | {
      readonly kind: "looked";
      readonly isPaused: boolean;
      readonly provider: string;
      readonly completed: number;
    }
  | { readonly kind: "opened" | "applied" | "done"; readonly batch: ModelBatch };

export interface ModelBatch {
  readonly provider: string;
  readonly previous: Pick<ModelTick, "id" | "time">;
  readonly tick: Pick<ModelTick, "id" | "time">;
  readonly events: readonly string[];
  /** what the worker had read of its own position before */
  readonly completed: number;
}

export interface ModelNode {
  readonly type: NodeType;
  readonly isUp: boolean;
  readonly provider: string;
  readonly completed: number;
  /** the time of the completed tick; null where it is not known */
  readonly completedTime: string | null;
  readonly isPaused: boolean;
  readonly isUptodate: boolean;
  /** what is in its queue; on a leaf what it has applied */
  readonly events: readonly string[];
  /** none on a leaf */
  readonly ticks: readonly ModelTick[];
  /** where the sequence of tick ids stands */
  readonly lastTickId: number;
  /** inserts are disabled and ticks come from elsewhere */
  readonly isExternal: boolean;
  /** consumers of the queue, with the tick that they have finished */
  readonly places: Readonly<Record<string, number>>;
  /** nodes that read from it, with the name of their worker */
  readonly subscribers: Readonly<Record<string, string>>;
  /** members that it knows to be dead */
  readonly dead: readonly string[];
  readonly hand: Hand | null;
}

export type ModelNodes = Readonly<Record<string, ModelNode>>;

/** The first tick of every queue. */
const beginning: ModelTick = { id: 1, time: "begin", events: 0 };

/** @param tree each node's type and provider; the root is its own */
export function newNodes(tree: Readonly<Record<string, readonly [NodeType, string]>>): ModelNodes {
  const readers = (name: string) =>
    Object.keys(tree).filter((each) => each !== name && tree[each]![1] === name);
  return Object.fromEntries(
    Object.entries(tree).map(([name, [type, provider]]): [string, ModelNode] => [
      name,
      {
        type,
        provider,
        isUp: true,
        completed: beginning.id,
        completedTime: null,
        isPaused: false,
        isUptodate: true,
        events: [],
        ticks: type === "leaf" ? [] : [beginning],
        lastTickId: beginning.id,
        isExternal: type !== "root",
        places: Object.fromEntries(readers(name).map((each) => [workerName(each), beginning.id])),
        subscribers: Object.fromEntries(readers(name).map((each) => [each, workerName(each)])),
        dead: [],
        hand: null,
      },
    ]),
  );
}

export function workerName(nodeName: string): string {
  return `${nodeName}_worker`;
}

/** The same nodes with one changed. */
export function withNode(nodes: ModelNodes, name: string, change: Partial<ModelNode>): ModelNodes {
  return { ...nodes, [name]: { ...nodes[name]!, ...change } };
}

/** In order of names, so that equal states look equal. */
export function withEntry<T>(
  record: Readonly<Record<string, T>>,
  name: string,
  value: T | undefined,
): Readonly<Record<string, T>> {
  const others = Object.entries(record).filter(([each]) => each !== name);
  const all = value === undefined ? others : [...others, [name, value] as [string, T]];
  return Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function newestTickOf({ ticks }: ModelNode): ModelTick | undefined {
  return ticks.at(-1);
}

/** How far a node has come: on a root that is its newest tick. */
export function positionOf(node: ModelNode): number {
  return node.type === "root" ? newestTickOf(node)!.id : node.completed;
}

/** An application writes to the root, and a tick is cut behind it. */
export function written(nodes: ModelNodes, name: string): ModelNodes {
  const node = nodes[name]!;
  const id = node.lastTickId + 1;
  const own = node.events.filter((event) => event.startsWith(name)).length;
  const event = `${name}${own + 1}`;
  const events = [...node.events, event];
  const tick = { id, time: `tick of ${event}`, events: events.length };
  return withNode(nodes, name, { events, ticks: [...node.ticks, tick], lastTickId: id });
}
