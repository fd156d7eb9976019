import type { DatabaseError } from "../errors.ts";
import { crashPoint, isCrashPointSet } from "../script/crash-point.ts";
import { sendCancel } from "./cancel.ts";
import { CopyInStream } from "./copy-in.ts";
import { CopyOutStream } from "./copy-out.ts";
import { CopyScript } from "./copy-script.ts";
import { CursorFetch, type RawRow } from "./cursor-fetch.ts";
import { databaseError } from "./database-error.ts";
import { type Notice, noticeOf } from "./notices.ts";
import { openSession, type SessionOptions } from "./open-session.ts";
import { performAlone } from "./perform-alone.ts";
import { serverVersionNumber, sessionKeys } from "./reported-settings.ts";
import type { CopySubmittable, Session, StatementOutcome } from "./session.ts";
import { TextQuery, type TextReceiver } from "./text-query.ts";

export type Isolation = "read committed" | "repeatable read" | "serializable";

export interface DatabaseOptions extends SessionOptions {
  /** no implicit BEGIN: each statement is its own transaction */
  readonly autocommit?: boolean;
  /** default `read committed` */
  readonly isolation?: Isolation;
  readonly onNotice?: (notice: Notice) => void;
  readonly onNotification?: (notification: Notification) => void;
}

/** What another session sent with NOTIFY. */
export interface Notification {
  readonly channel: string;
  readonly payload: string;
  readonly processId: number;
}

/** One PostgreSQL session. The first statement opens a transaction with the chosen isolation level (not in
 * autocommit); commit() and rollback() outside a transaction do nothing; after an error inside a transaction
 * only rollback() or close() work. Statements run in the order in which they were issued.
 * Source: spec/framework.md 4.3. */
export class Database {
  readonly autocommit: boolean;
  readonly isolation: Isolation;
  readonly #session: Session;
  #isClosed = false;
  /** transaction() is running its body */
  #isInBody = false;
  /** autocommitted() is running its body */
  #isAutocommitted = false;

  private constructor(session: Session, options: DatabaseOptions) {
    this.#session = session;
    this.autocommit = options.autocommit ?? false;
    this.isolation = options.isolation ?? "read committed";
    session.connected.client.on("notice", (notice) => options.onNotice?.(noticeOf(notice)));
    session.connected.client.on("notification", ({ channel, payload, processId }) =>
      options.onNotification?.({ channel, payload: payload ?? "", processId }),
    );
  }

  /** Connects and fixes the text formats that values come in.
   * @param connstr libpq connect string or URI
   * @throws UsageError for a bad connect string, DatabaseError when no server accepts */
  static async open(connstr: string, options: DatabaseOptions = {}): Promise<Database> {
    return new Database(await openSession(connstr, options), options);
  }

  /** `db on host:port`, for messages; never a password */
  get label(): string {
    return this.#session.label;
  }

  get backendPid(): number {
    return sessionKeys(this.#session.connected.client).processId;
  }

  /** e.g. 150018 for 15.18 */
  get serverVersion(): number {
    return serverVersionNumber(this.#session.connected.reported.get("server_version") ?? "");
  }

  /** a transaction is open, possibly in the failed state */
  get inTransaction(): boolean {
    return !this.isBroken && this.#session.transactionStatus !== "I";
  }

  /** a statement runs: the session is not to be taken away from whoever waits for it */
  get isBusy(): boolean {
    return this.#session.isBusy;
  }

  /** the session is gone: the server, the network or close() ended it */
  get isBroken(): boolean {
    return this.#session.lost !== undefined;
  }

  /** Runs one statement with parameters as $1 .. and returns its rows; without parameters several statements
   * are allowed and the rows of the last one are returned.
   * @returns rows as objects: int8 as bigint, int2/int4/float as number, bool as boolean, arrays as arrays,
   * everything else as the server's own text
   * @throws DatabaseError */
  async query<R extends object = Record<string, unknown>>(
    sql: string,
    parameters: readonly unknown[] = [],
  ): Promise<R[]> {
    return (await this.perform<R>(sql, parameters)).rows;
  }

  /** Like query(), for whoever does not know what kind of statement it is. */
  async perform<R extends object = Record<string, unknown>>(
    sql: string,
    parameters: readonly unknown[] = [],
  ): Promise<StatementOutcome<R>> {
    return await this.#session.exclusive(async () => {
      const begin = this.#beginNeeded();
      const perform = () => this.#session.perform<R>(sql, parameters, begin);
      return this.isTransactional ? await perform() : await performAlone(this.#session, sql, perform);
    });
  }

  /** Like query(), for a statement that returns exactly one row. */
  async queryOne<R extends object = Record<string, unknown>>(
    sql: string,
    parameters: readonly unknown[] = [],
  ): Promise<R> {
    const row = await this.queryMaybe<R>(sql, parameters);
    if (row === undefined) throw this.#error(new Error("query returned no row, expected one"), sql);
    return row;
  }

  /** Like query(), for a statement that returns at most one row. */
  async queryMaybe<R extends object = Record<string, unknown>>(
    sql: string,
    parameters: readonly unknown[] = [],
  ): Promise<R | undefined> {
    const rows = await this.query<R>(sql, parameters);
    if (rows.length > 1)
      throw this.#error(new Error(`query returned ${rows.length} rows, expected one`), sql);
    return rows[0];
  }

  /** The first column of the only row; undefined when there is no row, null is a value. */
  async queryValue<T>(sql: string, parameters: readonly unknown[] = []): Promise<T | undefined> {
    const row = await this.queryMaybe<Record<string, T>>(sql, parameters);
    return row === undefined ? undefined : Object.values(row)[0];
  }

  /** Runs SQL text that may hold several statements and takes no parameters. */
  async execute(sql: string): Promise<void> {
    await this.query(sql);
  }

  /** Commits; does nothing outside a transaction.
   * @throws DatabaseError also when the transaction had failed and the server rolled it back instead, and when it has been lost with
   * the session */
  async commit(): Promise<void> {
    await this.#session.exclusive(async () => {
      if (this.#session.transactionStatus === "I") return;
      const hadFailed = this.#session.transactionStatus === "E";
      const hasWritten = isCrashPointSet("database.after-commit") && !hadFailed && (await this.#hasWritten());
      await this.#session.send("commit");
      if (hadFailed)
        throw this.#error(new Error("commit of a failed transaction, it was rolled back"), "commit");
      // Between any two commits, whatever the program: all of them are made here.
      if (hasWritten) crashPoint("database.after-commit");
    });
  }

  async #hasWritten(): Promise<boolean> {
    const [row] = await this.#session.send<{ is_written: boolean }>(
      "select pg_catalog.pg_current_xact_id_if_assigned() is not null as is_written",
    );
    return row?.is_written === true;
  }

  /** Rolls back; does nothing outside a transaction or when the session is gone. */
  async rollback(): Promise<void> {
    await this.#session.exclusive(async () => {
      if (this.inTransaction) await this.#session.send("rollback");
    });
  }

  /** Runs `body` and commits; when it throws, rolls back and rethrows. Statements issued since the last commit
   * belong to the same transaction. Opens a transaction in autocommit too; not to be nested. */
  async transaction<T>(body: () => Promise<T>): Promise<T> {
    if (this.#isInBody) throw this.#error(new Error("transaction() within transaction()"));
    this.#isInBody = true;
    try {
      const result = await body();
      await this.commit();
      return result;
    } catch (error) {
      await this.rollback().catch(() => undefined);
      throw error;
    } finally {
      this.#isInBody = false;
    }
  }

  /** Commits, then runs `body` with each of its statements as a transaction of its own: one round trip instead of two, and
   * the server's default isolation level. For statements issued one after the other. */
  async autocommitted<T>(body: () => Promise<T>): Promise<T> {
    await this.commit();
    this.#isAutocommitted = true;
    try {
      return await body();
    } finally {
      this.#isAutocommitted = false;
    }
  }

  /** the next statement runs in a transaction that stays open after it; false in autocommit outside transaction() */
  get isTransactional(): boolean {
    return this.inTransaction || this.#isInBody || !(this.autocommit || this.#isAutocommitted);
  }

  /** The BEGIN that must precede the next statement. */
  #beginNeeded(): string | undefined {
    if (this.inTransaction || !this.isTransactional) return undefined;
    return `begin isolation level ${this.isolation}`;
  }

  /** The next rows of a cursor that is open in this transaction, as text, which is a good deal faster than a FETCH statement.
   * @param cursor its name, plain
   * @returns fewer than `count` rows at its end
   * @throws DatabaseError */
  async fetchRaw(cursor: string, count: number): Promise<RawRow[]> {
    const fetch = new CursorFetch(cursor, count);
    await this.#session.exclusive(() => this.#session.copy(fetch));
    return await fetch.outcome;
  }

  /** Runs one statement for somebody to look at: its values go to the receiver as the server prints them.
   * @returns the command tag, for example `INSERT 0 2`
   * @throws DatabaseError */
  async queryText(
    sql: string,
    parameters: readonly (string | null)[],
    receiver: TextReceiver,
  ): Promise<string> {
    const query = new TextQuery(sql, parameters, receiver);
    await this.runCopy(query);
    return await query.outcome;
  }

  /** Runs SQL text of several statements in one go; each `COPY ... FROM STDIN` in it takes the next of the contents.
   * @param contents lines of COPY's text format
   * @returns the statements' command tags, for example `COPY 3`
   * @throws DatabaseError of the first statement that fails; those behind it do not run */
  async executeCopying(sql: string, contents: readonly Buffer[]): Promise<readonly string[]> {
    const script = new CopyScript(sql, contents);
    await this.runCopy(script);
    return await script.outcome;
  }

  /** Starts `COPY ... TO STDOUT`; the stream holds the session until it ends. Its errors are DatabaseErrors. */
  copyOut(sql: string): CopyOutStream {
    return new CopyOutStream(this, sql);
  }

  /** Starts `COPY ... FROM STDIN`; the stream holds the session until it ends. Its errors are DatabaseErrors. */
  copyIn(sql: string): CopyInStream {
    return new CopyInStream(this, sql);
  }

  /** Runs what speaks the protocol itself, such as one end of a COPY, when everything issued before has ended. */
  async runCopy(submittable: CopySubmittable): Promise<void> {
    await this.#session.exclusive(async () => {
      const begin = this.#beginNeeded();
      if (begin !== undefined) await this.#session.send(begin);
      const copy = () => this.#session.copy(submittable);
      if (this.isTransactional) await copy();
      else await performAlone(this.#session, submittable.sql, copy);
    });
  }

  /** Asks the server to cancel what this session runs; harmless when it runs nothing. */
  async cancel(): Promise<void> {
    if (!this.isBroken) await sendCancel(this.#session.connected);
  }

  /** Cancels the running statement and holds later ones back until the request cannot hit them any more: the server may
   * notice it only within the next statement, so that is one that nobody needs. */
  async cancelRunning(): Promise<void> {
    const sent = this.cancel().catch(() => undefined);
    const absorb = async () => {
      await sent;
      await this.#session.send("select 1");
    };
    await this.#session.exclusive(absorb).catch(() => undefined);
  }

  /** Ends the session; an open transaction is rolled back by the server. Safe to repeat. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#session.end();
  }

  /** Ends the session at once, without a word to the server, which may be out of reach: what runs fails with the reason. */
  abandon(reason: Error): void {
    this.#isClosed = true;
    this.#session.abandon(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #error(error: unknown, sql?: string): DatabaseError {
    return databaseError(error, this.label, sql);
  }
}
