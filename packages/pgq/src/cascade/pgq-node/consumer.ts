import type { Database } from "@skytools/skytools";
import type { CascadedConsumerInfo, ConsumerState, NodeType } from "../node-info.ts";
import { change, type NodeCall, type Refusal } from "./node-call.ts";

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
