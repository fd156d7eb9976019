import type { Database } from "@skytools/skytools";
import { change, type NodeCall } from "./node-call.ts";

/** A tick, told from another one of the same id by its time. */
export interface TimedTick {
  readonly tickId: bigint;
  /** PostgreSQL's text */
  readonly tickTime: string;
}

/** Whether the schema stores the time of completed ticks: that of Skytools 3 does not. */
export async function storesTickTimes(db: Database): Promise<boolean> {
  const sql = "select to_regprocedure('pgq_node.get_completed_tick(text, text)') is not null";
  return (await db.queryValue<boolean>(sql)) === true;
}

/** The tick that a consumer has completed; its time is null when it is not known. */
export async function getCompletedTick(
  db: Database,
  queueName: string,
  consumerName: string,
): Promise<{ tickId: bigint; tickTime: string | null } | undefined> {
  return db.queryMaybe(
    `select tick_id as "tickId", tick_time as "tickTime" from pgq_node.get_completed_tick($1, $2)`,
    [queueName, consumerName],
  );
}

/** The time of a consumer's completed tick when that has the id of another one and is of another time; else undefined, also when
 * the time is not known. */
export async function otherTimeOfCompleted(
  db: Database,
  queueName: string,
  consumerName: string,
  { tickId, tickTime }: TimedTick,
): Promise<string | undefined> {
  const row = await db.queryMaybe<{ time: string }>(
    `select tick_time as time from pgq_node.get_completed_tick($1, $2)
      where tick_id = $3::int8 and tick_time <> $4::timestamptz`,
    [queueName, consumerName, tickId, tickTime],
  );
  return row?.time;
}

/** Stores what a consumer has completed, with the tick's time. */
export async function setConsumerCompletedAt(
  db: Database,
  call: NodeCall,
  queueName: string,
  consumerName: string,
  { tickId, tickTime }: TimedTick,
): Promise<void> {
  await change(
    db,
    call,
    "select * from pgq_node.set_consumer_completed_at($1, $2, $3::int8, $4::timestamptz)",
    [queueName, consumerName, tickId, tickTime],
  );
}
