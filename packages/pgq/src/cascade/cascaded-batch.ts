import type { Database } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import { copyEvents, filteredBatchSql } from "../batch-reader.ts";
import type { PgqEvent } from "../event.ts";
import { batchEventSql } from "../pgq-api.ts";
import { applyCascadeEvent } from "./cascade-event.ts";
import type { CascadedBatch, CascadeRound } from "./cascaded-application.ts";

/** Makes of a round and the batch that is open in it what an application gets.
 * @param onGlobalWatermark told what upstream has published, where the node does not follow it by itself */
export function cascadedBatch(
  round: CascadeRound,
  source: Database,
  batch: BatchInfo,
  onGlobalWatermark: (tickId: bigint) => void,
): CascadedBatch {
  const { target, queueName, role, job } = round;
  let sql: Promise<string> | undefined;
  const eventQuery = async (where?: string) => {
    sql ??= batchEventSql(source, batch.batchId);
    return filteredBatchSql(await sql, where);
  };
  const where = { target, queueName, role, log: job.log, onGlobalWatermark };
  return {
    ...round,
    source,
    batch,
    eventQuery,
    async *events(condition?: string) {
      yield* copyEvents(source, await eventQuery(condition));
    },
    applyCascadeEvent: (event: PgqEvent) => applyCascadeEvent(where, event),
  };
}
