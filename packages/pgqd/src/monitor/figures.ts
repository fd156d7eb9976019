/** What a database says about its queues at one moment. Numbers that the server does not know are undefined. */
export interface DatabaseFigures {
  /** milliseconds of performance.now() */
  readonly collectedAtMs: number;
  readonly queues: readonly QueueFigures[];
  readonly consumers: readonly ConsumerFigures[];
  readonly tables: readonly TableFigures[];
  /** age of the oldest open or prepared transaction of the database; undefined: there is none that may be seen */
  readonly longestTransactionSeconds: number | undefined;
}

export interface QueueFigures {
  readonly queueName: string;
  readonly isPaused: boolean;
  readonly hasExternalTicker: boolean;
  readonly tickAgeSeconds: number | undefined;
  readonly eventsPerSecond: number | undefined;
  /** events since the newest tick */
  readonly newEvents: bigint | undefined;
  /** how long the current event table has been in use */
  readonly rotationAgeSeconds: number;
  readonly rotationPeriodSeconds: number;
}

export interface ConsumerFigures {
  readonly queueName: string;
  readonly consumerName: string;
  /** age of the last finished tick */
  readonly lagSeconds: number | undefined;
  /** since it last opened or finished a batch */
  readonly lastSeenSeconds: number | undefined;
  readonly pendingEvents: bigint | undefined;
}

/** A bookkeeping table; row counts are the server's running estimates. */
export interface TableFigures {
  readonly tableName: string;
  readonly liveRows: bigint;
  readonly deadRows: bigint;
}
