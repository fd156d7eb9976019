import type { Database, Log } from "@skytools/skytools";
import { getConsumerInfo, registerConsumer, registerConsumerAt } from "../pgq-api.ts";
import type { TickFile } from "./tick-file.ts";

/** Brings the position of a consumer on a queue and that in its tick file together, and commits. The file decides, where
 * there is one: it says what was really done.
 * @throws DatabaseError when the queue does not hold the tick of the file any more
 * Source: spec/pgq-library.md A8 */
export async function reconcile(
  source: Database,
  file: TickFile,
  queueName: string,
  consumerName: string,
  log: Log,
): Promise<void> {
  const local = await file.read();
  const [info] = await getConsumerInfo(source, queueName, consumerName);
  const onQueue = info?.lastTick ?? undefined;
  const moveTo = async (tick: bigint) => registerConsumerAt(source, queueName, consumerName, tick);

  if (info === undefined && local === undefined) {
    await registerConsumer(source, queueName, consumerName);
    log.info(`Consumer ${consumerName} not registered, registering at the top of queue ${queueName}`);
  } else if (info === undefined) {
    await moveTo(local!);
    log.info(`Consumer ${consumerName} not registered, registering at tick ${local} of the tick file`);
  } else if (local === undefined) {
    if (onQueue !== undefined) await file.write(onQueue);
    log.info(`No tick file, starting one at tick ${onQueue} of the queue`);
  } else if (onQueue === undefined || local > onQueue) {
    await moveTo(local);
    log.warn(
      `Tick file is ahead of the queue: ${local} > ${onQueue}, moving the queue's position (was the database restored?)`,
    );
  } else if (local < onQueue) {
    await moveTo(local);
    log.warn(
      `Tick file is behind the queue: ${local} < ${onQueue}, rewinding the queue's position (was the file lost or old?)`,
    );
  } else {
    log.info(`Queue and tick file agree on tick ${local}`);
  }
  await source.commit();
}
