import type pg from "pg";
import type { CopySubmittable } from "./session.ts";

/** A row as the server sends it: the text of each column. */
export type RawRow = readonly (string | null)[];

type ExecuteConnection = pg.Connection & { execute(portal: { portal: string; rows: number }): void };

/** The next rows of an open cursor by the protocol's Execute, in place of a FETCH statement: the server sends each row as it finds
 * it, where FETCH first collects them all, and the driver makes no object of a row.
 * Source: PostgreSQL manual, "Extended Query": a cursor of SQL is a named portal */
export class CursorFetch implements CopySubmittable {
  readonly sql: string;
  readonly outcome: Promise<RawRow[]>;
  readonly #cursor: string;
  readonly #count: number;
  readonly #rows: RawRow[] = [];
  #resolve!: (rows: RawRow[]) => void;
  #reject!: (error: Error) => void;

  /** @param cursor its name, plain */
  constructor(cursor: string, count: number) {
    this.#cursor = cursor;
    this.#count = count;
    this.sql = `fetch ${count} from ${cursor}`;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: pg.Connection): undefined {
    (connection as ExecuteConnection).execute({ portal: this.#cursor, rows: this.#count });
    connection.sync();
  }

  handleDataRow(message: { fields: RawRow }): void {
    this.#rows.push(message.fields);
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#rows);
  }

  handleError(error: Error): void {
    this.#reject(error);
  }

  handleCommandComplete(): void {}
  handlePortalSuspended(): void {}
  handleRowDescription(): void {}
  handleEmptyQuery(): void {}
  handleCopyInResponse(): void {}
  handleCopyData(): void {}
}
