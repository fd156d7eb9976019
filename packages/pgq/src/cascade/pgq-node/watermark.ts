import type { Database } from "@skytools/skytools";
import { change, type NodeCall } from "./node-call.ts";

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
