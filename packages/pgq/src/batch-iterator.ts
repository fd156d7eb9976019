import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "@skytools/skytools";
import type { BatchCollection, BatchInfo } from "./batch.ts";
import { batchGone } from "./batch-gone.ts";
import { copyEventBlocks, copyEvents, filteredBatchSql } from "./batch-reader.ts";
import type { PgqEvent } from "./event.ts";
import { batchEventSql, finishBatch, nextBatch } from "./pgq-api.ts";
import { TickBeat } from "./tick-beat.ts";

export interface BatchesOptions extends BatchCollection {
  /** how long to wait when there is no batch, on average; default 1000 */
  readonly idleMs?: number | undefined;
  /** end the iteration when no batch waits, instead of waiting for one */
  readonly isOnce?: boolean | undefined;
  /** ends the wait and the iteration */
  readonly signal?: AbortSignal | undefined;
}

/** An open batch in the hands of a program that brings its own loop. */
export interface Batch {
  readonly info: BatchInfo;
  /** The events in order, read as they are consumed. `where` is a condition over the event columns, trusted SQL. The
   * connection can do nothing else until the iteration has ended. */
  events(where?: string): AsyncGenerator<PgqEvent, void>;
  /** The same in blocks of what one network packet brings: faster for small events. */
  eventBlocks(where?: string): AsyncGenerator<PgqEvent[], void>;
}

/** Delivers the batches of a registered consumer, one after the other, for as long as the caller asks for more. A batch is
 * finished and committed when the caller comes back for the next: what the caller did through the same connection commits
 * with it. Leaving the loop, or an exception in it, rolls back and leaves the batch open; it is delivered again, to the next
 * call too.
 * @param db not in autocommit mode: the work and the acknowledgement are one transaction
 * @throws DatabaseError when the consumer is not registered; SkytoolsError BATCH_GONE when somebody else has closed the batch
 * meanwhile: what the caller did is rolled back
 * Source: spec/pgq-library.md A4 */
export async function* batches(
  db: Database,
  queueName: string,
  consumerName: string,
  options: BatchesOptions = {},
): AsyncGenerator<Batch, void> {
  const beat = new TickBeat();
  while (options.signal?.aborted !== true) {
    const lookedAt = performance.now();
    const info = await nextBatch(db, queueName, consumerName, options);
    await db.commit();
    if (info === undefined) {
      if (options.isOnce === true) return;
      beat.foundNothing(lookedAt);
      await nap(beat.pauseMs(options.idleMs ?? 1000, performance.now()), options.signal);
      continue;
    }
    beat.foundBatch(info, lookedAt);
    let isTaken = false;
    try {
      yield openBatch(db, info);
      if (!(await finishBatch(db, info.batchId))) throw batchGone(db, info.batchId);
      await db.commit();
      isTaken = true;
    } finally {
      if (!isTaken && !db.isBroken) await db.rollback();
    }
  }
}

function openBatch(db: Database, info: BatchInfo): Batch {
  const sql = async (where?: string) => filteredBatchSql(await batchEventSql(db, info.batchId), where);
  return {
    info,
    async *events(where) {
      yield* copyEvents(db, await sql(where));
    },
    async *eventBlocks(where) {
      yield* copyEventBlocks(db, await sql(where));
    },
  };
}

async function nap(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
