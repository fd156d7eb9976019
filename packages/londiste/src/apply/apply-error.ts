import { type RetryClass, SkytoolsError } from "@skytools/skytools";

export interface FailedEvent {
  readonly eventId: string;
  readonly eventTxid: string;
  readonly table: string;
  readonly operation?: string | undefined;
}

export interface ApplyErrorDetails {
  readonly cause?: unknown;
  readonly key?: string;
  readonly sqlState?: string | undefined;
  readonly retry?: RetryClass;
  /** names batch and tick; added where they are known */
  readonly batch?: string;
}

const uniqueViolation = "23505";
const rowIsHere =
  "Somebody has written the row here, or the key is deferrable on the provider, where two rows had it for a while: make it not deferrable there. Use resync for the table.";

function hintFor({ operation }: FailedEvent, { sqlState, cause }: ApplyErrorDetails) {
  if (operation === "insert" && sqlState === uniqueViolation) return { hint: rowIsHere };
  return cause instanceof SkytoolsError && cause.hint !== undefined ? { hint: cause.hint } : {};
}

/** An event that cannot be applied. The message names the event, its table and key, and what the server said, in one line that
 * begins as monitoring knows it: `[ev_id=<id>,ev_txid=<txid>] ...`. */
export class ApplyError extends SkytoolsError {
  readonly reason: string;
  readonly event: FailedEvent;
  readonly details: ApplyErrorDetails;

  constructor(reason: string, event: FailedEvent, details: ApplyErrorDetails = {}) {
    const what = [
      `${event.operation ?? "event"} on table "${event.table}"`,
      ...(details.key ? [`key ${details.key}`] : []),
      ...(details.batch ? [details.batch] : []),
      ...(details.sqlState ? [`SQLSTATE ${details.sqlState}`] : []),
    ];
    super("APPLY", `[ev_id=${event.eventId},ev_txid=${event.eventTxid}] ${reason} (${what.join(", ")})`, {
      retry: details.retry ?? "later",
      cause: details.cause,
      ...hintFor(event, details),
    });
    this.reason = reason;
    this.event = event;
    this.details = details;
  }

  /** The same error with the batch it happened in. */
  inBatch(batchId: bigint, tickId: bigint): ApplyError {
    return new ApplyError(this.reason, this.event, {
      ...this.details,
      batch: `batch ${batchId}, tick ${tickId}`,
    });
  }
}

/** The result of `read`; when it fails, the error names the event.
 * @throws ApplyError in place of SkytoolsError */
export function ofEvent<T>(event: FailedEvent, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    throw new ApplyError(error.message, event, { cause: error });
  }
}
