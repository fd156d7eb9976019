import type { BatchInfo, PgqEvent } from "@skytools/pgq";
import type { Database, Log } from "@skytools/skytools";
import type { BatchTablesInput } from "./batch-tables.ts";

/** Thresholds at which a batch is handled differently. */
export interface ApplyLimits {
  /** collected lines of one table and of all, in bytes, at which they go to the server */
  readonly tableBytes: number;
  readonly totalBytes: number;
  /** batches of at least so many events are read unordered, which spares the provider sorting them, at the risk of having to read
   * them twice */
  readonly orderedEvents: number;
  /** when a key comes a second time, the rows collected so far are applied by themselves if there are at least so many; fewer are
   * folded by the server together with what follows; default 2000 */
  readonly distinctRows?: number;
}

export const usualLimits: ApplyLimits = {
  tableBytes: 1_000_000,
  totalBytes: 8_000_000,
  orderedEvents: 10_000,
};

export const usualDistinctRows = 2000;

/** What applying has done so far. */
export interface ApplyCounts {
  rowByRowEvents: number;
  /** updates and deletes that found no row */
  missingRows: number;
}

export interface ApplyInput extends BatchTablesInput {
  readonly source: Database;
  readonly target: Database;
  readonly log: Log;
  readonly batchId: bigint;
  readonly tickId: bigint;
  /** timestamptz text: when the batch ended */
  readonly tickTime: string;
  readonly queueName: string;
  /** SELECT of the batch's events, or of those that matter here */
  readonly eventQuery: string;
  /** how many events to expect; only a hint: of few, more may come */
  readonly expectedEvents: number;
  readonly limits?: ApplyLimits;
  /** handles `pgq.*`, `londiste.*` and EXECUTE events, in order, within the target's transaction */
  onControlEvent(event: PgqEvent): Promise<void>;
}

/** The size of a batch by its ticks: how many events were written between them, which need not be those that became visible. */
export function expectedEvents(batch: BatchInfo): number {
  return Number((batch.tickEventSeq ?? 0n) - (batch.previousTickEventSeq ?? 0n));
}

export interface ApplyResult extends Readonly<ApplyCounts> {
  readonly eventCount: number;
  readonly maxEventId: bigint | undefined;
  /** row events of tables that are not applied here or not yet */
  readonly ignoredEvents: number;
}
