import type { Config } from "@skytools/skytools";
import type { BatchCursorOptions } from "./batch-cursor.ts";

/** Events of a block while none of the queue is large and the configuration says nothing. */
const mostSmallEvents = 3000;

/** How a batch is read in blocks, from the keys pgq_lazy_fetch and pgq_fetch_bytes.
 * @param where condition over the event columns, raw SQL */
export function configuredCursor(
  config: Config,
  queueName: string,
  where: string | undefined,
): BatchCursorOptions {
  const maxCount = config.getInt("pgq_lazy_fetch") || mostSmallEvents;
  const maxSmallCount = config.has("pgq_lazy_fetch") ? maxCount : mostSmallEvents;
  return { queueName, where, maxCount, maxSmallCount, maxBytes: config.getBytes("pgq_fetch_bytes") };
}
