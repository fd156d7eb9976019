import type { Database } from "@skytools/skytools";
import { callInt } from "./call.ts";

/** @returns true when the queue was created, false when it existed */
export async function createQueue(db: Database, queueName: string): Promise<boolean> {
  return (await callInt(db, "select pgq.create_queue($1) as value", [queueName])) === 1;
}

/** @param isForced drop it although it still has consumers */
export async function dropQueue(db: Database, queueName: string, isForced = false): Promise<void> {
  await db.query("select pgq.drop_queue($1, $2::bool)", [queueName, isForced]);
}

/** Gives a queue another name; its consumers and producers must use the new one.
 * @throws DatabaseError when there is none, when the new name is taken, and when a cascade or triggers use the queue */
export async function renameQueue(db: Database, queueName: string, newName: string): Promise<void> {
  await db.query("select pgq.rename_queue($1, $2)", [queueName, newName]);
}

/** Sets one queue parameter, for example "ticker_max_lag" to "100 milliseconds". */
export async function setQueueConfig(
  db: Database,
  queueName: string,
  parameter: string,
  value: string | null,
): Promise<void> {
  await db.query("select pgq.set_queue_config($1, $2, $3)", [queueName, parameter, value]);
}

/** Settings and state of a queue; intervals and times are PostgreSQL's text, rates events a second. */
export interface QueueInfo {
  readonly queueName: string;
  readonly tableCount: number;
  readonly currentTable: number;
  readonly rotationPeriod: string;
  readonly switchTime: string;
  readonly hasExternalTicker: boolean;
  readonly isTickerPaused: boolean;
  readonly tickerMaxCount: number;
  readonly tickerMaxLag: string;
  readonly tickerIdlePeriod: string;
  readonly tickerLag: string | null;
  readonly eventsPerSecond: number | null;
  readonly newEvents: bigint | null;
  readonly lastTickId: bigint | null;
}

interface QueueInfoRow {
  queue_name: string;
  queue_ntables: number;
  queue_cur_table: number;
  queue_rotation_period: string;
  queue_switch_time: string;
  queue_external_ticker: boolean;
  queue_ticker_paused: boolean;
  queue_ticker_max_count: number;
  queue_ticker_max_lag: string;
  queue_ticker_idle_period: string;
  ticker_lag: string | null;
  ev_per_sec: number | null;
  ev_new: bigint | null;
  last_tick_id: bigint | null;
}

/** All queues ordered by name, or one; an unknown name gives an empty list. */
export async function getQueueInfo(db: Database, queueName?: string): Promise<QueueInfo[]> {
  const rows = await db.query<QueueInfoRow>("select * from pgq.get_queue_info($1::text)", [
    queueName ?? null,
  ]);
  return rows.map((row) => ({
    queueName: row.queue_name,
    tableCount: row.queue_ntables,
    currentTable: row.queue_cur_table,
    rotationPeriod: row.queue_rotation_period,
    switchTime: row.queue_switch_time,
    hasExternalTicker: row.queue_external_ticker,
    isTickerPaused: row.queue_ticker_paused,
    tickerMaxCount: row.queue_ticker_max_count,
    tickerMaxLag: row.queue_ticker_max_lag,
    tickerIdlePeriod: row.queue_ticker_idle_period,
    tickerLag: row.ticker_lag,
    eventsPerSecond: row.ev_per_sec,
    newEvents: row.ev_new,
    lastTickId: row.last_tick_id,
  }));
}
