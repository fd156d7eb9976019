/** An open batch: the events between two ticks.
 * The event sequence values are hints only: their difference is not the number of events.
 * Source: pgq.next_batch_custom; spec/sql-pgq.md 3.5 */
export interface BatchInfo {
  readonly batchId: bigint;
  readonly tickId: bigint;
  readonly previousTickId: bigint;
  readonly tickTime: string;
  readonly previousTickTime: string;
  readonly tickEventSeq: bigint | null;
  readonly previousTickEventSeq: bigint | null;
}

/** When a consumer wants larger or older batches than one tick gives. Unset means: the next tick.
 * Never use `minCount` or `minInterval` on a branch node: intermediate ticks would vanish from its queue. */
export interface BatchCollection {
  /** fewest events of a batch */
  readonly minCount?: number | undefined;
  /** shortest time span of a batch, PostgreSQL interval text */
  readonly minInterval?: string | undefined;
  /** only events older than this, PostgreSQL interval text */
  readonly minLag?: string | undefined;
}
