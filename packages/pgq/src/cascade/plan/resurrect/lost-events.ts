import { type Database, pipeCopy } from "@skytools/skytools";
import { copyEvents } from "../../../batch-reader.ts";
import type { PgqEvent } from "../../../event.ts";
import {
  batchEventSql,
  finishBatch,
  nextBatch,
  registerConsumerAt,
  unregisterConsumer,
} from "../../../pgq-api.ts";
import type { Resurrection } from "./resurrection.ts";

/** An event that only the node that comes back has, with the batch that it lies in. */
export interface LostEvent {
  readonly event: PgqEvent;
  readonly tickId: bigint;
  readonly previousTickId: bigint;
}

const known = "pg_temp.known_event";

/** The events of this node after the shared tick, batch by batch, without those that the new root has too. Memory does not depend
 * on their number. Everything happens in one transaction of the local database, which is rolled back at the end: the temporary
 * consumer that walks the batches is never seen by others. */
export async function* lostEvents(work: Resurrection): AsyncGenerator<LostEvent, void> {
  const { self, sharedTick, statistics } = work;
  const { queueName } = work.context.admin;
  const { db } = self;
  const consumerName = `${self.nodeName}.dumper`;
  try {
    const knownCount = await loadKnownEvents(work);
    if (knownCount > 0n) statistics.set("known_on_new_root", knownCount);
    await unregisterConsumer(db, queueName, consumerName);
    await registerConsumerAt(db, queueName, consumerName, sharedTick);
    for (;;) {
      const batch = await nextBatch(db, queueName, consumerName);
      if (batch === undefined) return;
      const sql = `select b.* from (${await batchEventSql(db, batch.batchId)}) b
        where not exists (select from ${known} k where k.ev_id = b.ev_id and k.ev_time = b.ev_time) order by b.ev_id`;
      for await (const event of copyEvents(db, sql)) {
        yield { event, tickId: batch.tickId, previousTickId: batch.previousTickId };
      }
      await finishBatch(db, batch.batchId);
    }
  } finally {
    await db.rollback();
  }
}

/** Events of the new root between the shared tick and the takeover: those that this database, restored from an older state, has
 * in part as well. @returns their number */
async function loadKnownEvents({
  context,
  self,
  provider,
  sharedTick,
  takeoverTick,
}: Resurrection): Promise<bigint> {
  const { queueName } = context.admin;
  await self.db.execute(`create temporary table if not exists known_event (ev_id int8, ev_time timestamptz);
    truncate ${known}`);
  if (sharedTick === takeoverTick) return 0n;
  const { rows } = await pipeCopy(
    provider.db,
    `copy (${await eventsBetween(provider.db, queueName, sharedTick, takeoverTick)}) to stdout`,
    self.db,
    `copy ${known} (ev_id, ev_time) from stdin`,
  );
  await provider.db.commit();
  await self.db.execute(`create index on ${known} (ev_id); analyze ${known}`);
  return rows;
}

async function eventsBetween(
  db: Database,
  queueName: string,
  fromTick: bigint,
  toTick: bigint,
): Promise<string> {
  const sql = await db.queryValue<string>(
    `select format(
        'select ev_id, ev_time from %s where ev_txid >= %s and not txid_visible_in_snapshot(ev_txid, %L) and txid_visible_in_snapshot(ev_txid, %L)',
        pgq.quote_fqname(q.queue_data_pfx), txid_snapshot_xmin(f.tick_snapshot), f.tick_snapshot, t.tick_snapshot)
       from pgq.queue q
       join pgq.tick f on f.tick_queue = q.queue_id and f.tick_id = $2::int8
       join pgq.tick t on t.tick_queue = q.queue_id and t.tick_id = $3::int8
      where q.queue_name = $1`,
    [queueName, fromTick, toTick],
  );
  return sql!;
}
