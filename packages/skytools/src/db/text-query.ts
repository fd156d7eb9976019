import type pg from "pg";
import type { RawRow } from "./cursor-fetch.ts";
import type { CopySubmittable } from "./session.ts";

/** One column of a result. */
export interface TextColumn {
  readonly name: string;
  /** oid of its type */
  readonly typeOid: number;
}

/** Takes what a statement returns while it comes in; nothing of it is kept elsewhere. */
export interface TextReceiver {
  /** A result with rows begins; also before one that turns out to have none. */
  onColumns(columns: readonly TextColumn[]): void;
  onRow(row: RawRow): void;
  /** a piece of COPY ... TO STDOUT, cut anywhere */
  onCopyData?(chunk: Buffer): void;
}

/** One statement whose values are shown, not used: they come as the server prints them. Without parameters it goes by the simple
 * protocol, in which every statement is possible. COPY ... FROM STDIN fails, there are no data.
 * Source: PostgreSQL manual, "Message Flow" */
export class TextQuery implements CopySubmittable {
  readonly sql: string;
  /** the command tag of the last statement: `INSERT 0 2`; empty for an empty text */
  readonly outcome: Promise<string>;
  readonly #parameters: readonly (string | null)[];
  readonly #receiver: TextReceiver;
  #tag = "";
  #resolve!: (tag: string) => void;
  #reject!: (error: Error) => void;

  constructor(sql: string, parameters: readonly (string | null)[], receiver: TextReceiver) {
    this.sql = sql;
    this.#parameters = parameters;
    this.#receiver = receiver;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: pg.Connection): undefined {
    if (this.#parameters.length === 0) {
      connection.query(this.sql);
      return;
    }
    connection.stream.cork();
    connection.parse({ name: "", text: this.sql, types: [] }, true);
    connection.bind({ values: [...this.#parameters] }, true);
    connection.describe({ type: "P", name: "" }, true);
    connection.execute({}, true);
    connection.sync();
    connection.stream.uncork();
  }

  handleRowDescription(message: {
    fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  }): void {
    this.#receiver.onColumns(message.fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID })));
  }

  handleDataRow(message: { fields: RawRow }): void {
    this.#receiver.onRow(message.fields);
  }

  handleCommandComplete(message: { text: string }): void {
    this.#tag = message.text;
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#tag);
  }

  handleError(error: Error): void {
    this.#reject(error);
  }

  handleCopyInResponse(connection: { sendCopyFail(reason: string): void }): void {
    connection.sendCopyFail("there are no data to copy from here");
  }

  handleCopyData(message: { chunk: Buffer }): void {
    this.#receiver.onCopyData?.(message.chunk);
  }

  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
}
