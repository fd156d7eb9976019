import { type RetryClass, SkytoolsError } from "@skytools/skytools";

export interface ApplyErrorDetails {
  readonly cause?: unknown;
  readonly key?: string;
  readonly operation?: string;
  readonly sqlState?: string | undefined;
  readonly retry?: RetryClass;
  /** names batch and tick; added where they are known */
  readonly batch?: string;
}

/** An event that cannot be applied. The message names the event, its table and key, and what the server said, in one line that
 * begins as monitoring knows it: `[ev_id=<id>,ev_txid=<txid>] ...`. */
export class ApplyError extends SkytoolsError {
  readonly reason: string;
  readonly eventId: bigint;
  readonly eventTxid: bigint;
  readonly table: string;
  readonly details: ApplyErrorDetails;

  constructor(
    reason: string,
    eventId: bigint,
    eventTxid: bigint,
    table: string,
    details: ApplyErrorDetails = {},
  ) {
    const what = [
      `${details.operation ?? "event"} on table "${table}"`,
      ...(details.key ? [`key ${details.key}`] : []),
      ...(details.batch ? [details.batch] : []),
      ...(details.sqlState ? [`SQLSTATE ${details.sqlState}`] : []),
    ];
    super("APPLY", `[ev_id=${eventId},ev_txid=${eventTxid}] ${reason} (${what.join(", ")})`, {
      retry: details.retry ?? "later",
      cause: details.cause,
    });
    this.reason = reason;
    this.eventId = eventId;
    this.eventTxid = eventTxid;
    this.table = table;
    this.details = details;
  }

  /** The same error with the batch it happened in. */
  inBatch(batchId: bigint, tickId: bigint): ApplyError {
    return new ApplyError(this.reason, this.eventId, this.eventTxid, this.table, {
      ...this.details,
      batch: `batch ${batchId}, tick ${tickId}`,
    });
  }
}
