import type { PgqEvent } from "@skytools/pgq";
import { parsePartialSql, SkytoolsError } from "@skytools/skytools";
import type { Row, RowEvent } from "../handler/handler.ts";
import { ApplyError } from "./apply-error.ts";
import type { RowEventKind, RowOperation } from "./event-kind.ts";
import { decodeEvent, type RawEvent } from "./event-line.ts";
import { decodeRow } from "./row-layout.ts";

/** A row event for a handler; decoded once, when it is asked for. */
export class DecodedRowEvent implements RowEvent {
  readonly event: PgqEvent;
  readonly #raw: RawEvent;
  readonly #kind: RowEventKind;
  #row: Row | undefined;

  constructor(raw: RawEvent, kind: RowEventKind) {
    this.event = decodeEvent(raw);
    this.#raw = raw;
    this.#kind = kind;
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
    const failed = {
      eventId: this.#raw.id,
      eventTxid: this.#raw.txid,
      table: this.event.extra1 ?? "",
      operation: this.operation,
    };
    if (this.#kind.format === "sql" && this.operation !== "insert") {
      throw new ApplyError(
        `Unsupported event type: ${this.event.type ?? ""}: partial SQL has no columns`,
        failed,
      );
    }
    try {
      if (this.#kind.format === "sql") return parsePartialSql("I", this.event.data ?? "").data;
      return decodeRow(this.#kind.format, this.#raw.data);
    } catch (error) {
      if (!(error instanceof SkytoolsError)) throw error;
      throw new ApplyError(error.message, failed, { cause: error });
    }
  }
}
