import type { Database } from "@skytools/skytools";
import type { ConsumerFigures, DatabaseFigures, QueueFigures, TableFigures } from "./figures.ts";

const queuesSql = `
  select queue_name, queue_ticker_paused as paused, queue_external_ticker as external,
         extract(epoch from ticker_lag)::float8 as tick_age, ev_per_sec, ev_new,
         extract(epoch from pg_catalog.now() - queue_switch_time)::float8 as rotation_age,
         extract(epoch from queue_rotation_period)::float8 as rotation_period
    from pgq.get_queue_info()`;

const consumersSql = `
  select queue_name, consumer_name, extract(epoch from lag)::float8 as lag,
         extract(epoch from last_seen)::float8 as last_seen, pending_events
    from pgq.get_consumer_info()`;

const tablesSql = `
  select 'pgq.' || relname as table_name, pg_catalog.pg_stat_get_live_tuples(oid) as live,
         pg_catalog.pg_stat_get_dead_tuples(oid) as dead
    from pg_catalog.pg_class
   where relnamespace = 'pgq'::regnamespace and relname in ('tick', 'subscription', 'queue', 'retry_queue')
   order by 1`;

/* A prepared transaction holds queues back as an open one does. Vacuum does not. */
const longestTransactionSql = `
  select extract(epoch from greatest(
    (select pg_catalog.max(pg_catalog.clock_timestamp() - xact_start) from pg_catalog.pg_stat_activity
      where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid()
        and backend_type <> 'autovacuum worker'),
    (select pg_catalog.max(pg_catalog.clock_timestamp() - prepared) from pg_catalog.pg_prepared_xacts
      where database = pg_catalog.current_database())))::float8 as seconds`;

/** Asks a database for its figures. Needs the role pgq_admin or pgq_reader; without pg_read_all_stats the transactions of
 * other users cannot be seen. Source: spec/sql-pgq.md, the info functions */
export async function queryFigures(db: Database): Promise<DatabaseFigures> {
  const queues = await db.query<QueueRow>(queuesSql);
  const consumers = await db.query<ConsumerRow>(consumersSql);
  const tables = await db.query<{ table_name: string; live: bigint; dead: bigint }>(tablesSql);
  const longest = await db.queryOne<{ seconds: number | null }>(longestTransactionSql);
  return {
    collectedAtMs: performance.now(),
    queues: queues.map(queueOf),
    consumers: consumers.map(consumerOf),
    tables: tables.map(
      ({ table_name, live, dead }): TableFigures => ({
        tableName: table_name,
        liveRows: live,
        deadRows: dead,
      }),
    ),
    longestTransactionSeconds: longest.seconds ?? undefined,
  };
}

interface QueueRow {
  readonly queue_name: string;
  readonly paused: boolean;
  readonly external: boolean;
  readonly tick_age: number | null;
  readonly ev_per_sec: number | null;
  readonly ev_new: bigint | null;
  readonly rotation_age: number;
  readonly rotation_period: number;
}

function queueOf(row: QueueRow): QueueFigures {
  return {
    queueName: row.queue_name,
    isPaused: row.paused,
    hasExternalTicker: row.external,
    tickAgeSeconds: age(row.tick_age),
    eventsPerSecond: row.ev_per_sec ?? undefined,
    newEvents: row.ev_new ?? undefined,
    rotationAgeSeconds: Math.max(0, row.rotation_age),
    rotationPeriodSeconds: row.rotation_period,
  };
}

interface ConsumerRow {
  readonly queue_name: string;
  readonly consumer_name: string;
  readonly lag: number | null;
  readonly last_seen: number | null;
  readonly pending_events: bigint | null;
}

function consumerOf(row: ConsumerRow): ConsumerFigures {
  return {
    queueName: row.queue_name,
    consumerName: row.consumer_name,
    lagSeconds: age(row.lag),
    lastSeenSeconds: age(row.last_seen),
    pendingEvents: row.pending_events ?? undefined,
  };
}

/** A tick made while the query ran can be younger than the query's transaction. */
function age(seconds: number | null): number | undefined {
  return seconds === null ? undefined : Math.max(0, seconds);
}
