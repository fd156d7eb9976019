import type { Database } from "@skytools/skytools";
import type { NodeLocation, SubscriberInfo } from "../node-info.ts";
import { change, type NodeCall } from "./node-call.ts";

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
