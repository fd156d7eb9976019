import { SkytoolsError } from "@skytools/skytools";
import {
  type ModelNode,
  type ModelNodes,
  newestTickOf,
  positionOf,
  withEntry,
  workerName,
} from "./set-world.js";

/* What the SQL that takeover sends does to a node of the model. The test lets a real server do the same and compares. */

/** A node that can be changed. */
export interface OpenNode {
  readonly name: string;
  readonly node: ModelNode;
  readonly all: ModelNodes;
  change(change: Partial<ModelNode>): void;
}

/** What of the server can be made wrong, to see that it is found. */
export interface ServerFaults {
  /** a promoted root goes on counting where it is */
  readonly keepsTickIds?: boolean;
  /** a subscriber is registered at the newest tick, whatever it asks for */
  readonly registersAtEnd?: boolean;
}

export type Row = Record<string, unknown>;
type Values = readonly unknown[];
type ServerFunction = (open: OpenNode, values: Values, faults: ServerFaults) => readonly Row[];

const done: readonly Row[] = [{ ret_code: 200, ret_note: "done" }];

/** By a piece of the SQL that only its statement has. */
export const serverFunctions: readonly (readonly [string, ServerFunction])[] = [
  ["to_regnamespace('pgq_node')", () => [{ value: true }]],
  ["to_regprocedure('pgq_node.get_completed_tick", () => [{ value: true }]],
  ["select now()", () => [{ now: "time of the command" }]],
  ["pgq_node.get_node_info(", nodeInfo],
  ["pgq_node.get_consumer_state(", consumerState],
  ["pgq_node.get_consumer_info(", consumers],
  ["pgq_node.get_queue_locations(", locations],
  ["pgq_node.get_subscriber_info(", subscribers],
  [
    "pgq_node.get_completed_tick(",
    ({ node }) => [{ tickId: BigInt(node.completed), tickTime: node.completedTime }],
  ],
  ["pgq_node.set_consumer_paused(", setPaused],
  ["pgq_node.set_consumer_uptodate(", (open, values) => changed(open, { isUptodate: values[2] as boolean })],
  [
    "pgq_node.set_consumer_completed(",
    (open, [, , tick]) => changed(open, { completed: Number(tick), completedTime: null }),
  ],
  [
    "pgq_node.change_consumer_provider(",
    (open, [, , provider]) => changed(open, { provider: provider as string, isUptodate: false }),
  ],
  ["pgq_node.register_location(", registerLocation],
  ["pgq_node.register_subscriber(", registerSubscriber],
  ["pgq_node.unregister_subscriber(", unregisterSubscriber],
  ["pgq_node.promote_branch(", promoteBranch],
  ["pgq_node.demote_root(", demoteRoot],
  ["pgq_node.delete_events_after(", deleteAfter],
  ["pgq_node.set_global_watermark(", () => done],
  ["pgq.unregister_consumer(", unregisterConsumer],
  ["select t.tick_id as id, extract(epoch", ticksUntil],
  ["join unnest($2::int8[]", newestShared],
  ["'select count(*) as", () => [{ sql: "count of events" }]],
  ["count of events", () => [{ eventCount: 0n, unbatchedCount: 0n }]],
  ["pgq.get_consumer_info(", places],
  ["pgq.get_queue_info(", () => []],
  ["pgq.quote_fqname(queue_data_pfx)", () => [{ name: "events" }]],
  ["select max(ev_id) from events", ({ node }) => [{ max: BigInt(node.events.length) }]],
  ["pgq.seq_setval(", leaveGap],
  ["pgq.ticker(", mirrorTick],
  ["pgq.set_queue_config($1, $2, $3)", (open) => changed(open, { isExternal: false })],
  ["set queue_disable_insert = false", (open) => changed(open, { isExternal: false })],
  ["select queue_disable_insert and queue_external_ticker", ({ node }) => [{ value: node.isExternal }]],
  ["q.queue_disable_insert as", queue],
  [
    "select exists (select from pgq.tick",
    ({ node }, [, tick]) => [{ value: node.ticks.some(({ id }) => id === Number(tick)) }],
  ],
  ["t.tick_snapshot::text as tick_snapshot", newest],
];

function changed(open: OpenNode, change: Partial<ModelNode>): readonly Row[] {
  open.change(change);
  return done;
}

function refuse(message: string): never {
  throw new SkytoolsError("DB_ERROR", message);
}

function nodeInfo({ name, node }: OpenNode): readonly Row[] {
  const { type, provider, isPaused, isUptodate } = node;
  const row = {
    ret_code: 100,
    node_type: type,
    node_name: name,
    global_watermark: type === "leaf" ? null : 1n,
    local_watermark: 1n,
    provider_node: provider,
    provider_location: `dbname=${provider}`,
    combined_queue: null,
    combined_type: null,
    worker_name: workerName(name),
    worker_paused: isPaused,
    worker_uptodate: isUptodate,
    worker_last_tick: BigInt(positionOf(node)),
    node_attrs: null,
    target_for: null,
  };
  return [row];
}

function consumerState({ name, node }: OpenNode): readonly Row[] {
  const row = {
    ret_code: 100,
    ret_note: "Ok",
    node_type: node.type,
    node_name: name,
    completed_tick: BigInt(node.completed),
    provider_node: node.provider,
    provider_location: `dbname=${node.provider}`,
    paused: node.isPaused,
    uptodate: node.isUptodate,
    cur_error: null,
  };
  return [row];
}

function consumers({ name, node }: OpenNode): readonly Row[] {
  const row = {
    consumer_name: workerName(name),
    provider_node: node.provider,
    last_tick_id: BigInt(node.completed),
    paused: node.isPaused,
    uptodate: node.isUptodate,
    cur_error: null,
  };
  return [row];
}

function locations({ node, all }: OpenNode): readonly Row[] {
  return Object.keys(all).map((name) => ({
    node_name: name,
    node_location: `dbname=${name}`,
    dead: node.dead.includes(name),
  }));
}

function subscribers({ node }: OpenNode): readonly Row[] {
  return Object.entries(node.subscribers).map(([name, worker]) => ({
    node_name: name,
    worker_name: worker,
    node_watermark: 1n,
  }));
}

function setPaused(open: OpenNode, [, , isPaused]: Values): readonly Row[] {
  if (open.node.isPaused === isPaused) return [{ ret_code: 201, ret_note: "already" }];
  return changed(open, { isPaused: isPaused as boolean, isUptodate: false });
}

function registerLocation(open: OpenNode, [, name, , isDead]: Values): readonly Row[] {
  const others = open.node.dead.filter((each) => each !== name);
  return changed(open, { dead: isDead === true ? [...others, name as string].toSorted() : others });
}

function registerSubscriber(open: OpenNode, values: Values, faults: ServerFaults): readonly Row[] {
  const { node } = open;
  const [, name, worker, tick] = values as [string, string, string, bigint];
  if (node.type === "leaf") return [{ ret_code: 401, ret_note: "Cannot subscribe to leaf node" }];
  if (node.subscribers[name] !== undefined) refuse("duplicate key value violates unique constraint");
  const place = faults.registersAtEnd === true ? newestTickOf(node)!.id : Number(tick);
  if (node.ticks.every(({ id }) => id !== place)) refuse("cannot reposition, tick not found");
  open.change({
    subscribers: withEntry(node.subscribers, name, worker),
    places: withEntry(node.places, worker, place),
  });
  return [{ ret_code: 200, ret_note: "registered", global_watermark: 1n }];
}

function unregisterSubscriber(open: OpenNode, values: Values): readonly Row[] {
  const { node } = open;
  const name = values[1] as string;
  const worker = node.subscribers[name];
  if (worker === undefined) return [{ ret_code: 304, ret_note: "Subscriber not found" }];
  return changed(open, {
    subscribers: withEntry(node.subscribers, name, undefined),
    places: withEntry(node.places, worker, undefined),
  });
}

function promoteBranch(open: OpenNode): readonly Row[] {
  const { name, node } = open;
  if (node.type !== "branch") return [{ ret_code: 301, ret_note: "Node not branch" }];
  if (node.completed > newestTickOf(node)!.id) {
    addTick(open, node.completed, node.completedTime ?? "time of the promotion");
  }
  const newestId = newestTickOf(open.node)!.id;
  return changed(open, {
    type: "root",
    provider: name,
    completed: newestId,
    isUptodate: false,
    isExternal: false,
    lastTickId: Math.max(open.node.lastTickId, newestId),
  });
}

function demoteRoot(open: OpenNode, [, step, newProvider]: Values): readonly Row[] {
  const { name, node } = open;
  if (node.type !== "root") return [{ ret_code: 301, ret_note: "Node not root", last_tick: null }];
  if (step === 1) return changed(open, { isExternal: true });
  if (!node.isExternal) refuse("steps in wrong order");
  if (step === 2) {
    const id = node.lastTickId + 1;
    open.change({ lastTickId: id });
    addTick(open, id, `last tick of ${name} ${id}`);
  } else {
    const completed = newestTickOf(node)!.id;
    open.change({ type: "branch", provider: newProvider as string, completed, isUptodate: false });
  }
  return [{ ret_code: 200, ret_note: "done", last_tick: BigInt(newestTickOf(open.node)!.id) }];
}

/** Events and ticks after a tick. */
function deleteAfter(open: OpenNode, [, tick]: Values): readonly Row[] {
  const ticks = open.node.ticks.filter(({ id }) => id <= Number(tick));
  open.change({ ticks, events: open.node.events.slice(0, ticks.at(-1)!.events) });
  return [{ ret_code: 200, ret_note: "deleted", deleted_events: 0n, deleted_ticks: 0n }];
}

function unregisterConsumer(open: OpenNode, [, name]: Values): readonly Row[] {
  open.change({ places: withEntry(open.node.places, name as string, undefined) });
  return [{ value: 1 }];
}

function ticksUntil({ node }: OpenNode, [, last]: Values): readonly Row[] {
  return node.ticks.filter(({ id }) => id <= Number(last)).map(({ id, time }) => ({ id: BigInt(id), time }));
}

function newestShared({ node }: OpenNode, values: Values): readonly Row[] {
  const [, ids, times] = values as [string, readonly bigint[], readonly string[]];
  const shared = node.ticks.filter((tick) =>
    ids.some((id, at) => Number(id) === tick.id && times[at] === tick.time),
  );
  return [{ max: shared.length === 0 ? null : BigInt(shared.at(-1)!.id) }];
}

function places({ node }: OpenNode, [, wanted]: Values): readonly Row[] {
  return Object.entries(node.places)
    .filter(([name]) => wanted === null || wanted === name)
    .map(([name, place]) => ({ consumer_name: name, last_tick: BigInt(place) }));
}

function leaveGap(open: OpenNode, values: Values, faults: ServerFaults): readonly Row[] {
  if (faults.keepsTickIds === true) return done;
  return changed(open, { lastTickId: Math.max(open.node.lastTickId, Number(values[1])) });
}

function mirrorTick(open: OpenNode, values: Values): readonly Row[] {
  addTick(open, Number(values[1]), values[2] as string);
  return done;
}

/** A tick covers all that is committed. */
function addTick(open: OpenNode, id: number, time: string): void {
  const { ticks, events } = open.node;
  if (ticks.some((tick) => tick.id === id)) refuse("duplicate key value violates unique constraint");
  open.change({ ticks: [...ticks, { id, time, events: events.length }].toSorted((a, b) => a.id - b.id) });
}

function queue({ node }: OpenNode): readonly Row[] {
  const ids = node.ticks.map(({ id }) => BigInt(id));
  return [{ isInsertDisabled: node.isExternal, oldestTick: ids[0], newestTick: ids.at(-1) }];
}

function newest({ node }: OpenNode): readonly Row[] {
  const tick = newestTickOf(node);
  if (tick === undefined) return [];
  return [
    {
      tick_id: BigInt(tick.id),
      tick_time: tick.time,
      tick_event_seq: BigInt(tick.events),
      tick_snapshot: "",
    },
  ];
}
