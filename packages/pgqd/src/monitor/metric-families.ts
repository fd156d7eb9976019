import type { ConsumerFigures, DatabaseFigures, QueueFigures, TableFigures } from "./figures.ts";
import type { MetricFamily, MetricSample } from "./open-metrics.ts";
import type { DatabaseOverview, Overview } from "./overview.ts";

type Definition<T> = Omit<MetricFamily, "samples"> & {
  readonly value: (subject: T) => number | bigint | undefined;
};

/** Of each database that is known. Databases without PgQ have no ticks. */
const databaseMetrics: readonly Definition<DatabaseOverview>[] = [
  {
    name: "pgqd_database_healthy",
    type: "gauge",
    help: "1 while the database is ticked in time, 0 while it is not; absent where there is nothing to tick.",
    value: ({ health }) => (health.verdict === "ignored" ? undefined : Number(health.verdict !== "failing")),
  },
  {
    name: "pgqd_last_tick_age_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Time since pgq.ticker() last returned.",
    value: ({ health }) => health.secondsSinceTick,
  },
  {
    name: "pgqd_ticks",
    type: "counter",
    help: "Calls of pgq.ticker() that returned.",
    value: ({ state }) => state.ticks,
  },
  {
    name: "pgqd_tick_duration_seconds",
    type: "counter",
    unit: "seconds",
    help: "Time spent in those calls.",
    value: ({ state }) => state.tickMs / 1000,
  },
  {
    name: "pgqd_maintenance_rounds",
    type: "counter",
    help: "Completed maintenance rounds.",
    value: ({ state }) => state.maintenanceRounds,
  },
  {
    name: "pgqd_retried_events",
    type: "counter",
    help: "Events moved back from the retry queue.",
    value: ({ state }) => state.retriedEvents,
  },
  {
    name: "pgqd_figures_age_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Age of the figures that follow; they are absent when the database cannot be asked.",
    value: ({ figuresAgeSeconds }) => figuresAgeSeconds,
  },
  {
    name: "pgq_longest_transaction_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Age of the oldest open or prepared transaction of the database.",
    value: ({ figures }) => figures && (figures.longestTransactionSeconds ?? 0),
  },
];

const queueMetrics: readonly Definition<QueueFigures>[] = [
  {
    name: "pgq_queue_tick_age_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Age of the queue's newest tick. An idle queue is ticked rarely.",
    value: (queue) => queue.tickAgeSeconds,
  },
  {
    name: "pgq_queue_events_per_second",
    type: "gauge",
    help: "Events a second over the last ticks.",
    value: (queue) => queue.eventsPerSecond,
  },
  {
    name: "pgq_queue_new_events",
    type: "gauge",
    help: "Events since the newest tick.",
    value: (queue) => queue.newEvents,
  },
  {
    name: "pgq_queue_rotation_age_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Time since the event tables were rotated; beyond the period a consumer holds rotation up.",
    value: (queue) => queue.rotationAgeSeconds,
  },
  {
    name: "pgq_queue_rotation_period_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Configured time between rotations.",
    value: (queue) => queue.rotationPeriodSeconds,
  },
  {
    name: "pgq_queue_paused",
    type: "gauge",
    help: "1 while the queue's ticker is paused.",
    value: (queue) => Number(queue.isPaused),
  },
  {
    name: "pgq_queue_external_ticker",
    type: "gauge",
    help: "1 for a queue whose ticks come from elsewhere.",
    value: (queue) => Number(queue.hasExternalTicker),
  },
];

const consumerMetrics: readonly Definition<ConsumerFigures>[] = [
  {
    name: "pgq_consumer_lag_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Age of the last tick that the consumer has finished.",
    value: (consumer) => consumer.lagSeconds,
  },
  {
    name: "pgq_consumer_last_seen_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Time since the consumer opened or finished a batch.",
    value: (consumer) => consumer.lastSeenSeconds,
  },
  {
    name: "pgq_consumer_pending_events",
    type: "gauge",
    help: "Events that wait for the consumer, estimated from event numbers.",
    value: (consumer) => consumer.pendingEvents,
  },
];

const tableMetrics: readonly Definition<TableFigures>[] = [
  {
    name: "pgq_table_dead_rows",
    type: "gauge",
    help: "Dead rows of a bookkeeping table, as the server estimates; a long transaction makes them pile up.",
    value: (table) => table.deadRows,
  },
  {
    name: "pgq_table_live_rows",
    type: "gauge",
    help: "Live rows of a bookkeeping table, as the server estimates.",
    value: (table) => table.liveRows,
  },
];

/** All metrics of the daemon and of its databases. */
export function metricFamilies(overview: Overview): MetricFamily[] {
  const single = (value: number): MetricSample[] => [{ labels: {}, value }];
  const { databases } = overview;
  const inDatabases = <T>(subjects: (figures: DatabaseFigures) => readonly T[]): Labelled<T>[] =>
    databases.flatMap(({ state, figures }) =>
      figures === undefined
        ? []
        : subjects(figures).map((subject) => ({ labels: { database: state.name }, subject })),
    );
  const named = <T>(items: readonly Labelled<T>[], labels: (subject: T) => Record<string, string>) =>
    items.map((item) => ({ labels: { ...item.labels, ...labels(item.subject) }, subject: item.subject }));
  return [
    {
      name: "pgqd",
      type: "info",
      help: "The running daemon.",
      samples: [{ labels: { version: overview.version }, value: 1 }],
    },
    {
      name: "pgqd_healthy",
      type: "gauge",
      help: "1 while /health answers 200.",
      samples: single(Number(overview.problems.length === 0)),
    },
    {
      name: "pgqd_uptime_seconds",
      type: "gauge",
      unit: "seconds",
      help: "Time since the daemon started.",
      samples: single(overview.uptimeSeconds),
    },
    {
      name: "pgqd_memory_bytes",
      type: "gauge",
      unit: "bytes",
      help: "Resident memory of the daemon.",
      samples: single(process.memoryUsage.rss()),
    },
    ...families(
      databaseMetrics,
      databases.map((subject) => ({ labels: { database: subject.state.name }, subject })),
    ),
    ...families(
      queueMetrics,
      named(
        inDatabases(({ queues }) => queues),
        ({ queueName }) => ({ queue: queueName }),
      ),
    ),
    ...families(
      consumerMetrics,
      named(
        inDatabases(({ consumers }) => consumers),
        ({ queueName, consumerName }) => ({
          queue: queueName,
          consumer: consumerName,
        }),
      ),
    ),
    ...families(
      tableMetrics,
      named(
        inDatabases(({ tables }) => tables),
        ({ tableName }) => ({ table: tableName }),
      ),
    ),
  ];
}

interface Labelled<T> {
  readonly labels: Readonly<Record<string, string>>;
  readonly subject: T;
}

function families<T>(definitions: readonly Definition<T>[], items: readonly Labelled<T>[]): MetricFamily[] {
  return definitions.map(({ value, ...family }) => ({
    ...family,
    samples: items.map(({ labels, subject }) => ({ labels, value: value(subject) })),
  }));
}
