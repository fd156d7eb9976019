import type { Database, Log } from "@skytools/skytools";
import { execCommand, urlDecodeRow } from "@skytools/skytools";
import type {
  CascadedConsumerInfo,
  ConsumerState,
  NodeInfo,
  NodeLocation,
  NodeType,
  SubscriberInfo,
} from "./node-info.ts";

/* The only file that spells pgq_node.* calls. Functions that read leave the transaction open; functions that change
 * something go through execCommand and commit unless told otherwise. Source: spec/sql-node-londiste.md section 4 */

/** How a changing call is logged and whether it ends the transaction. */
export interface NodeCall {
  readonly log: Log;
  /** name of the node in front of the note, for calls to another node */
  readonly prefix?: string;
  /** success is debug output */
  readonly quiet?: boolean;
  /** default true */
  readonly commit?: boolean;
  /** for the replay of events: inside the caller's transaction, the return code is logged but not judged */
  readonly isReplay?: boolean;
}

interface NodeInfoRow {
  ret_code: number;
  node_type: NodeType;
  node_name: string;
  global_watermark: bigint | null;
  local_watermark: bigint | null;
  provider_node: string;
  provider_location: string;
  combined_queue: string | null;
  combined_type: NodeType | null;
  worker_name: string;
  worker_paused: boolean;
  worker_uptodate: boolean;
  worker_last_tick: bigint;
  node_attrs: string | null;
  target_for?: string[] | null;
}

/** The local node of a queue; undefined when there is none. */
export async function getNodeInfo(db: Database, queueName: string): Promise<NodeInfo | undefined> {
  const row = await db.queryOne<NodeInfoRow>("select * from pgq_node.get_node_info($1)", [queueName]);
  if (row.ret_code >= 300) return undefined;
  return {
    queueName,
    nodeType: row.node_type,
    nodeName: row.node_name,
    globalWatermark: row.global_watermark,
    localWatermark: row.local_watermark,
    providerNode: row.provider_node,
    providerLocation: row.provider_location,
    combinedQueue: row.combined_queue,
    combinedType: row.combined_type,
    workerName: row.worker_name,
    isWorkerPaused: row.worker_paused,
    isWorkerUptodate: row.worker_uptodate,
    workerLastTick: row.worker_last_tick,
    attributes: row.node_attrs === null ? new Map() : urlDecodeRow(row.node_attrs),
    targetFor: row.target_for ?? [],
  };
}

interface ConsumerStateRow {
  ret_code: number;
  ret_note: string;
  node_type: NodeType;
  node_name: string;
  completed_tick: bigint;
  provider_node: string;
  provider_location: string;
  paused: boolean;
  uptodate: boolean;
  cur_error: string | null;
}

function consumerState(row: ConsumerStateRow): ConsumerState {
  return {
    nodeType: row.node_type,
    nodeName: row.node_name,
    completedTick: row.completed_tick,
    providerNode: row.provider_node,
    providerLocation: row.provider_location,
    isPaused: row.paused,
    isUptodate: row.uptodate,
    currentError: row.cur_error,
  };
}

/** What the node says when it does not know a queue or consumer. */
export interface Refusal {
  readonly code: number;
  readonly note: string;
}

/** @returns the state, or the server's refusal (404: unknown queue, consumer or provider) */
export async function getConsumerState(
  db: Database,
  queueName: string,
  consumerName: string,
): Promise<ConsumerState | Refusal> {
  const row = await db.queryOne<ConsumerStateRow>("select * from pgq_node.get_consumer_state($1, $2)", [
    queueName,
    consumerName,
  ]);
  return row.ret_code >= 300 ? { code: row.ret_code, note: row.ret_note } : consumerState(row);
}

export function isRefusal(answer: object): answer is Refusal {
  return "code" in answer && "note" in answer;
}

/** Takes the row lock on a consumer's position and reads it behind that lock, so that of two processes under one name only
 * one can go on from a position. Clearing the stored error is what takes the lock. */
export async function lockConsumerState(
  db: Database,
  queueName: string,
  consumerName: string,
): Promise<ConsumerState | Refusal> {
  const row = await db.queryOne<ConsumerStateRow>(
    `select s.* from pgq_node.set_consumer_error($1, $2, null) as cleared
      cross join lateral pgq_node.get_consumer_state($1, case when cleared.ret_code > 0 then $2 end) as s`,
    [queueName, consumerName],
  );
  return row.ret_code >= 300 ? { code: row.ret_code, note: row.ret_note } : consumerState(row);
}

/** All members of the set that this node knows, by name. */
export async function getQueueLocations(db: Database, queueName: string): Promise<NodeLocation[]> {
  const rows = await db.query<{ node_name: string; node_location: string; dead: boolean }>(
    "select node_name, node_location, dead from pgq_node.get_queue_locations($1) order by node_name",
    [queueName],
  );
  return rows.map((row) => ({ nodeName: row.node_name, location: row.node_location, isDead: row.dead }));
}

/** Nodes that read from this one, by name. */
export async function getSubscriberInfo(db: Database, queueName: string): Promise<SubscriberInfo[]> {
  const rows = await db.query<{ node_name: string; worker_name: string; node_watermark: bigint | null }>(
    "select node_name, worker_name, node_watermark from pgq_node.get_subscriber_info($1)",
    [queueName],
  );
  return rows.map((row) => ({
    nodeName: row.node_name,
    workerName: row.worker_name,
    watermark: row.node_watermark,
  }));
}

/** Cascaded consumers of the local node, by name: its worker, plain consumers, table copies. */
export async function getCascadedConsumers(db: Database, queueName: string): Promise<CascadedConsumerInfo[]> {
  const rows = await db.query<{
    consumer_name: string;
    provider_node: string;
    last_tick_id: bigint;
    paused: boolean;
    uptodate: boolean;
    cur_error: string | null;
  }>("select * from pgq_node.get_consumer_info($1)", [queueName]);
  return rows.map((row) => ({
    consumerName: row.consumer_name,
    providerNode: row.provider_node,
    lastTick: row.last_tick_id,
    isPaused: row.paused,
    isUptodate: row.uptodate,
    currentError: row.cur_error,
  }));
}

async function change<R extends object>(
  db: Database,
  call: NodeCall,
  sql: string,
  parameters: readonly unknown[],
): Promise<R[]> {
  const { log, isReplay, ...options } = call;
  if (isReplay) {
    const rows = await db.query<R & { ret_code: number; ret_note: string | null }>(sql, parameters);
    for (const row of rows) log.debug(`${row.ret_code} ${row.ret_note ?? ""}`);
    return rows;
  }
  return execCommand<R>(db, log, sql, parameters, options);
}

/** A null location keeps the stored one. On a root the change travels to every node as an event. */
export async function registerLocation(
  db: Database,
  call: NodeCall,
  queueName: string,
  nodeName: string,
  location: string | null,
  isDead: boolean,
): Promise<void> {
  await change(db, call, "select * from pgq_node.register_location($1, $2, $3, $4::bool)", [
    queueName,
    nodeName,
    location,
    isDead,
  ]);
}

export async function unregisterLocation(
  db: Database,
  call: NodeCall,
  queueName: string,
  nodeName: string,
): Promise<void> {
  await change(db, call, "select * from pgq_node.unregister_location($1, $2)", [queueName, nodeName]);
}

/** What create_node stores; provider and watermark are null on a root. */
export interface NewNode {
  readonly queueName: string;
  readonly nodeType: NodeType;
  readonly nodeName: string;
  readonly workerName: string;
  readonly providerName: string | null;
  readonly globalWatermark: bigint | null;
  readonly combinedQueue: string | null;
}

export async function createNode(db: Database, call: NodeCall, node: NewNode): Promise<void> {
  await change(db, call, "select * from pgq_node.create_node($1, $2, $3, $4, $5, $6::int8, $7)", [
    node.queueName,
    node.nodeType,
    node.nodeName,
    node.workerName,
    node.providerName,
    node.globalWatermark,
    node.combinedQueue,
  ]);
}

export async function dropNode(
  db: Database,
  call: NodeCall,
  queueName: string,
  nodeName: string,
): Promise<void> {
  await change(db, call, "select * from pgq_node.drop_node($1, $2)", [queueName, nodeName]);
}

/** @param attributes urlencoded; replaces all that were there */
export async function setNodeAttributes(
  db: Database,
  call: NodeCall,
  queueName: string,
  attributes: string,
): Promise<void> {
  await change(db, call, "select * from pgq_node.set_node_attrs($1, $2)", [queueName, attributes]);
}

/** Registers a node on its provider. @param tickId where its worker starts; null: the global watermark
 * @returns the provider's global watermark */
export async function registerSubscriber(
  db: Database,
  call: NodeCall,
  queueName: string,
  nodeName: string,
  workerName: string,
  tickId: bigint | null,
): Promise<bigint> {
  const rows = await change<{ global_watermark: bigint }>(
    db,
    call,
    "select * from pgq_node.register_subscriber($1, $2, $3, $4::int8)",
    [queueName, nodeName, workerName, tickId],
  );
  return rows[0]!.global_watermark;
}

export async function unregisterSubscriber(
  db: Database,
  call: NodeCall,
  queueName: string,
  nodeName: string,
): Promise<void> {
  await change(db, call, "select * from pgq_node.unregister_subscriber($1, $2)", [queueName, nodeName]);
}

/** Registers a plain cascaded consumer in the database that it writes to. On an existing one it overwrites provider and
 * position: look before, or a finished batch is applied twice. */
export async function registerCascadedConsumer(
  db: Database,
  call: NodeCall,
  queueName: string,
  consumerName: string,
  providerNode: string,
  tickId: bigint,
): Promise<void> {
  await change(db, call, "select * from pgq_node.register_consumer($1, $2, $3, $4::int8)", [
    queueName,
    consumerName,
    providerNode,
    tickId,
  ]);
}

export async function unregisterCascadedConsumer(
  db: Database,
  call: NodeCall,
  queueName: string,
  consumerName: string,
): Promise<void> {
  await change(db, call, "select * from pgq_node.unregister_consumer($1, $2)", [queueName, consumerName]);
}

export async function setConsumerCompleted(
  db: Database,
  call: NodeCall,
  queueName: string,
  consumerName: string,
  tickId: bigint,
): Promise<void> {
  await change(db, call, "select * from pgq_node.set_consumer_completed($1, $2, $3::int8)", [
    queueName,
    consumerName,
    tickId,
  ]);
}

/** @param message null clears it */
export async function setConsumerError(
  db: Database,
  call: NodeCall,
  queueName: string,
  consumerName: string,
  message: string | null,
): Promise<void> {
  await change(db, call, "select * from pgq_node.set_consumer_error($1, $2, $3)", [
    queueName,
    consumerName,
    message,
  ]);
}

export async function setConsumerPaused(
  db: Database,
  call: NodeCall,
  queueName: string,
  consumerName: string,
  isPaused: boolean,
): Promise<void> {
  await change(db, call, "select * from pgq_node.set_consumer_paused($1, $2, $3::bool)", [
    queueName,
    consumerName,
    isPaused,
  ]);
}

export async function setConsumerUptodate(
  db: Database,
  call: NodeCall,
  queueName: string,
  consumerName: string,
  isUptodate: boolean,
): Promise<void> {
  await change(db, call, "select * from pgq_node.set_consumer_uptodate($1, $2, $3::bool)", [
    queueName,
    consumerName,
    isUptodate,
  ]);
}

/** Makes a cascaded consumer read from another node; its position stays. */
export async function changeConsumerProvider(
  db: Database,
  call: NodeCall,
  queueName: string,
  consumerName: string,
  providerNode: string,
): Promise<void> {
  await change(db, call, "select * from pgq_node.change_consumer_provider($1, $2, $3)", [
    queueName,
    consumerName,
    providerNode,
  ]);
}

/** Turns a branch into the root. */
export async function promoteBranch(db: Database, call: NodeCall, queueName: string): Promise<void> {
  await change(db, call, "select * from pgq_node.promote_branch($1)", [queueName]);
}

/** One step of turning the root into a branch: 1 refuses events, 2 cuts the last tick, 3 makes it a branch.
 * @returns the last tick, null after step 1 */
export async function demoteRoot(
  db: Database,
  call: NodeCall,
  queueName: string,
  step: 1 | 2 | 3,
  newProvider: string,
): Promise<bigint | null> {
  const rows = await change<{ last_tick: bigint | null }>(
    db,
    call,
    "select * from pgq_node.demote_root($1, $2::int4, $3)",
    [queueName, step, newProvider],
  );
  return rows[0]!.last_tick;
}

/** One step of renaming a node, on each member: 1 adds the new name, 2 removes the old one. */
export async function renameNode(
  db: Database,
  call: NodeCall,
  queueName: string,
  step: 1 | 2,
  oldName: string,
  newName: string,
): Promise<void> {
  const sql = `select * from pgq_node.rename_node_step${step}($1, $2, $3)`;
  await change(db, call, sql, [queueName, oldName, newName]);
}

/** Removes what lies after a tick from a branch's queue. */
export async function deleteEventsAfter(
  db: Database,
  call: NodeCall,
  queueName: string,
  tickId: bigint,
): Promise<{ deletedEvents: bigint; deletedTicks: bigint }> {
  const rows = await change<{ deleted_events: bigint; deleted_ticks: bigint }>(
    db,
    call,
    "select * from pgq_node.delete_events_after($1, $2::int8)",
    [queueName, tickId],
  );
  return { deletedEvents: rows[0]!.deleted_events, deletedTicks: rows[0]!.deleted_ticks };
}

/** Publishes a node's low-water mark on its provider; never moves it backwards. */
export async function setSubscriberWatermark(
  db: Database,
  call: NodeCall,
  queueName: string,
  nodeName: string,
  tickId: bigint,
): Promise<void> {
  await change(db, call, "select * from pgq_node.set_subscriber_watermark($1, $2, $3::int8)", [
    queueName,
    nodeName,
    tickId,
  ]);
}

/** @param tickId null on a root: publish what the whole set has finished */
export async function setGlobalWatermark(
  db: Database,
  call: NodeCall,
  queueName: string,
  tickId: bigint | null,
): Promise<void> {
  await change(db, call, "select * from pgq_node.set_global_watermark($1, $2::int8)", [queueName, tickId]);
}

/** Moves the merge leaf of a part's queue to what the combined branch of this database contains. */
export async function setPartitionWatermark(
  db: Database,
  call: NodeCall,
  combinedQueue: string,
  partQueue: string,
  tickId: bigint,
): Promise<void> {
  await change(db, call, "select * from pgq_node.set_partition_watermark($1, $2, $3::int8)", [
    combinedQueue,
    partQueue,
    tickId,
  ]);
}
