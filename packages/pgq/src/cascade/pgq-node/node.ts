import { type Database, urlDecodeRow } from "@skytools/skytools";
import type { NodeInfo, NodeType } from "../node-info.ts";
import { change, type NodeCall } from "./node-call.ts";

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

/** @param attributes urlencoded; replaces all that were there. null: none */
export async function setNodeAttributes(
  db: Database,
  call: NodeCall,
  queueName: string,
  attributes: string | null,
): Promise<void> {
  await change(db, call, "select * from pgq_node.set_node_attrs($1, $2)", [queueName, attributes]);
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
