import { getQueueInfo, type QueueInfo } from "@skytools/pgq";
import { type Database, SkytoolsError } from "@skytools/skytools";

/** @param queueName undefined: all queues
 * @throws SkytoolsError when there is no such queue */
export async function requireQueues(db: Database, queueName: string | undefined): Promise<QueueInfo[]> {
  const queues = await getQueueInfo(db, queueName);
  if (queueName === undefined || queues.length > 0) return queues;
  throw new SkytoolsError("QUEUE_NOT_FOUND", `${db.label} has no queue ${queueName}`, {
    hint: "status lists the queues, create makes one.",
  });
}
