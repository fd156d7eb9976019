import type { PgqEvent } from "@skytools/pgq";
import { parsePartialSql } from "@skytools/skytools";
import type { Row, RowEvent } from "../handler/handler.ts";
import { ApplyError, type FailedEvent, ofEvent } from "./apply-error.ts";
import type { RowEventKind, RowOperation } from "./event-kind.ts";
import { decodeEvent, type RawEvent } from "./event-line.ts";
import { decodeRow, readableRaw } from "./row-layout.ts";

/** A row event for a handler; decoded once, when it is asked for. */
export class DecodedRowEvent implements RowEvent {
  readonly event: PgqEvent;
  readonly #raw: RawEvent;
  readonly #kind: RowEventKind;
  #row: Row | undefined;

  /** @throws ApplyError for text that is none */
  constructor(raw: RawEvent, kind: RowEventKind) {
    this.#raw = raw;
    this.#kind = kind;
    this.event = ofEvent(this.#failed, () => decodeEvent(raw));
  }

  get operation(): RowOperation {
    return this.#kind.operation;
  }

  get key(): readonly string[] {
    return this.#kind.key;
  }

  row(): Row {
    this.#row ??= this.#decode();
    return this.#row;
  }

  #decode(): Row {
    if (this.#kind.format === "sql" && this.operation !== "insert") {
      throw new ApplyError(
        `Unsupported event type: ${this.event.type ?? ""}: partial SQL has no columns`,
        this.#failed,
      );
    }
    const { format } = this.#kind;
    return ofEvent(this.#failed, () =>
      format === "sql" ? parsePartialSql("I", this.event.data ?? "").data : decodeRow(format, this.#raw.data),
    );
  }

  get #failed(): FailedEvent {
    const { id, txid, extra1 } = this.#raw;
    return { eventId: id, eventTxid: txid, table: readableRaw(extra1) ?? "", operation: this.operation };
  }
}
