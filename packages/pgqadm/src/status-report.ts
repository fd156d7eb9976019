import type { Database } from "@skytools/skytools";

/** What `status` reports; durations in seconds. */
export interface StatusReport {
  readonly postgresVersion: string;
  readonly pgqVersion: string | null;
  readonly queues: readonly QueueStatus[];
  readonly consumers: readonly ConsumerStatus[];
}

export interface QueueStatus {
  readonly queue: string;
  readonly tables: number;
  readonly rotationPeriodSeconds: number | null;
  readonly maxCount: number;
  readonly maxLagSeconds: number | null;
  readonly idlePeriodSeconds: number | null;
  readonly tickLagSeconds: number | null;
  readonly eventsPerSecond: number | null;
  readonly newEvents: bigint | null;
}

export interface ConsumerStatus {
  readonly queue: string;
  readonly consumer: string;
  readonly lagSeconds: number | null;
  readonly lastSeenSeconds: number | null;
  readonly pendingEvents: bigint | null;
}

const queuesSql = `
  select queue_name as queue, queue_ntables as tables,
         extract(epoch from queue_rotation_period)::float8 as "rotationPeriodSeconds",
         queue_ticker_max_count as "maxCount",
         extract(epoch from queue_ticker_max_lag)::float8 as "maxLagSeconds",
         extract(epoch from queue_ticker_idle_period)::float8 as "idlePeriodSeconds",
         extract(epoch from ticker_lag)::float8 as "tickLagSeconds",
         ev_per_sec as "eventsPerSecond", ev_new as "newEvents"
    from pgq.get_queue_info()`;

const consumersSql = `
  select queue_name as queue, consumer_name as consumer, extract(epoch from lag)::float8 as "lagSeconds",
         extract(epoch from last_seen)::float8 as "lastSeenSeconds", pending_events as "pendingEvents"
    from pgq.get_consumer_info()`;

export async function readStatus(db: Database): Promise<StatusReport> {
  const versions = await db.queryOne<{ postgres: string; pgq: string | null }>(
    "select current_setting('server_version') as postgres, pgq.version() as pgq",
  );
  return {
    postgresVersion: versions.postgres,
    pgqVersion: versions.pgq,
    queues: await db.query<QueueStatus>(queuesSql),
    consumers: await db.query<ConsumerStatus>(consumersSql),
  };
}

const width = 78;

/** The report as pgqadm prints it; scripts cut it by columns. Source: spec/pgq-library.md A15 */
export function statusText(status: StatusReport): string {
  const line = "-".repeat(width);
  return [
    `Postgres version: ${status.postgresVersion}   PgQ version: ${status.pgqVersion ?? "unknown"}`,
    "",
    queueLine("Event queue", ["Rotation", "Ticker", "TLag", "EPS", "New"]),
    line,
    ...status.queues.map((queue) => queueLine(queue.queue, queueCells(queue))),
    line,
    "",
    consumerLine("Consumer", ["Lag", "LastSeen", "Pending"]),
    line,
    ...status.queues.flatMap(({ queue }) => {
      const own = status.consumers.filter((consumer) => consumer.queue === queue);
      return own.length === 0 ? [] : [`${queue}:`, ...own.map(consumerText)];
    }),
    line,
    "",
  ].join("\n");
}

function queueCells(queue: QueueStatus): string[] {
  return [
    `${queue.tables}/${period(queue.rotationPeriodSeconds)}`,
    `${queue.maxCount}/${period(queue.maxLagSeconds)}/${period(queue.idlePeriodSeconds)}`,
    period(queue.tickLagSeconds),
    queue.eventsPerSecond === null ? "NULL" : queue.eventsPerSecond.toFixed(1),
    queue.newEvents === null ? "NULL" : String(queue.newEvents),
  ];
}

function queueLine(name: string, cells: readonly string[]): string {
  const widths = [10, 14, 7, 7, 7];
  return name.padEnd(33) + cells.map((cell, at) => ` ${cell}`.padStart(widths[at]!)).join("");
}

function consumerText(consumer: ConsumerStatus): string {
  const pending = consumer.pendingEvents === null ? "NULL" : String(consumer.pendingEvents);
  return consumerLine(`  ${consumer.consumer}`, [
    period(consumer.lagSeconds),
    period(consumer.lastSeenSeconds),
    pending,
  ]);
}

function consumerLine(name: string, cells: readonly string[]): string {
  return name.padEnd(48) + cells.map((cell) => ` ${cell}`.padStart(10)).join("");
}

function period(seconds: number | null): string {
  return seconds === null ? "NULL" : `${Math.floor(seconds)}s`;
}
