import { deepEqual } from "node:assert/strict";
import type { Database } from "@skytools/skytools";

/** Calls a function and returns its only value. */
export async function call<T>(db: Database, name: string, ...args: readonly unknown[]): Promise<T> {
  const places = args.map((_, at) => `$${at + 1}`).join(", ");
  return (await db.queryValue<T>(`select ${name}(${places})`, args)) as T;
}

/** Creates a queue that ticks at every call of pgq.ticker. */
export async function createEagerQueue(db: Database, queue: string): Promise<void> {
  await call(db, "pgq.create_queue", queue);
  await call(db, "pgq.set_queue_config", queue, "ticker_max_lag", "0");
  await call(db, "pgq.set_queue_config", queue, "ticker_idle_period", "0");
}

/** Makes a tick and returns its id. */
export async function tick(db: Database, queue: string): Promise<bigint> {
  const id = await db.queryValue<bigint | null>("select pgq.ticker($1)", [queue]);
  if (typeof id !== "bigint") throw new Error(`no tick was made on ${queue}`);
  return id;
}

/** Opens the next batch, reads it and finishes it.
 * @returns the events' data in delivery order, null when there is no batch */
export async function consume(db: Database, queue: string, consumer: string): Promise<string[] | null> {
  const batch = await call<bigint | null>(db, "pgq.next_batch", queue, consumer);
  if (batch === null) return null;
  const events = await batchData(db, batch);
  deepEqual(await call(db, "pgq.finish_batch", batch), 1);
  return events;
}

/** The data of a batch's events, in delivery order. */
export async function batchData(db: Database, batch: bigint): Promise<string[]> {
  const rows = await db.query<{ ev_data: string }>("select ev_data from pgq.get_batch_events($1)", [batch]);
  return rows.map((row) => row.ev_data);
}

/** Does both steps of a rotation now. */
export async function rotate(db: Database, queue: string): Promise<void> {
  await call(db, "pgq.set_queue_config", queue, "rotation_period", "0");
  await call(db, "pgq.maint_rotate_tables_step1", queue);
  await call(db, "pgq.maint_rotate_tables_step2");
}

export async function currentTable(db: Database, queue: string): Promise<number> {
  return (await db.queryValue<number>("select queue_cur_table from pgq.queue where queue_name = $1", [
    queue,
  ]))!;
}
