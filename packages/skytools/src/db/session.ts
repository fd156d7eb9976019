import type { Socket } from "node:net";
import pg from "pg";
import { DatabaseError } from "../errors.ts";
import { sendCancel } from "./cancel.ts";
import { type Connected, targetLabel } from "./connector.ts";
import { databaseError } from "./database-error.ts";
import type { ServerWatch } from "./server-watch.ts";

/** What COPY sends through the driver: the driver hands it the messages of the server while it is active. */
export interface CopySubmittable extends pg.Submittable {
  readonly sql: string;
  /** settles after the server is ready for the next statement, or when the session is gone */
  readonly outcome: Promise<unknown>;
}

/** What a statement came to. */
export interface StatementOutcome<R extends object> {
  readonly rows: R[];
  /** first word of the server's command tag: `SELECT`, `UPDATE`, ... */
  readonly command: string;
  /** rows that it returned or changed */
  readonly affectedCount: number;
  /** of the rows; empty when it returns none */
  readonly columns: readonly { readonly name: string; readonly typeOid: number }[];
}

/** One driver client, used by one statement at a time. A statement counts as ended only when the server is
 * ready again, so the transaction status that callers look at next is never stale. */
export class Session {
  readonly label: string;
  readonly connected: Connected;
  #queue: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #lost: Error | undefined;
  #watch: ServerWatch | undefined;

  constructor(connected: Connected, database: string) {
    this.connected = connected;
    this.label = `${database} on ${targetLabel(connected.target)}`;
    connected.client.on("error", (error) => this.markLost(error));
    connected.client.on("end", () => this.markLost(new Error("connection lost")));
  }

  /** From now on somebody looks whether the server is there while a statement runs. */
  watchWith(watch: ServerWatch): void {
    this.#watch = watch;
  }

  /** why the session can no longer be used */
  get lost(): Error | undefined {
    return this.#lost;
  }

  /** a statement runs, or waits for one that does */
  get isBusy(): boolean {
    return this.#pending > 0;
  }

  markLost(reason: Error): void {
    this.#lost ??= reason;
  }

  /** I: idle, T: in a transaction, E: in a failed transaction */
  get transactionStatus(): "I" | "T" | "E" {
    return this.connected.client.getTransactionStatus() ?? "I";
  }

  get socket(): Socket {
    const { stream } = this.connected.client.connection;
    if (!isSocket(stream)) throw new Error("unexpected layout of the pg driver's connection");
    return stream;
  }

  /** Runs `task` when everything issued before it has ended. */
  async exclusive<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => undefined);
    this.#pending++;
    this.#watch?.start();
    try {
      return await result;
    } finally {
      this.#pending--;
      if (this.#pending === 0) this.#watch?.stop();
    }
  }

  /** Sends one statement, or several without parameters; call it only inside exclusive().
   * @param begin a BEGIN that goes to the server in the same round trip
   * @returns the rows of the last statement */
  async send<R extends object>(
    sql: string,
    parameters: readonly unknown[] = [],
    begin?: string,
  ): Promise<R[]> {
    return (await this.perform<R>(sql, parameters, begin)).rows;
  }

  /** As send(), with all that the server says of the last statement. */
  async perform<R extends object>(
    sql: string,
    parameters: readonly unknown[] = [],
    begin?: string,
  ): Promise<StatementOutcome<R>> {
    this.#checkUsable(sql);
    try {
      const result = await new Promise<unknown>((resolve, reject) => {
        const callback = (error: Error | null | undefined, outcome: unknown) =>
          error == null ? resolve(outcome) : reject(error);
        this.connected.client.query(driverQuery(sql, parameters, begin, callback));
      });
      return outcomeOf<R>(result);
    } catch (error) {
      await this.#ready();
      throw databaseError(error, this.label, sql);
    }
  }

  /** Sends a COPY; call it only inside exclusive(). */
  async copy(submittable: CopySubmittable): Promise<void> {
    this.#checkUsable(submittable.sql);
    this.connected.client.query(submittable);
    try {
      await submittable.outcome;
    } catch (error) {
      await this.#ready();
      throw databaseError(error, this.label, submittable.sql);
    }
  }

  #checkUsable(sql: string): void {
    if (this.#lost === undefined) return;
    throw new DatabaseError(`connection lost: ${this.#lost.message} (${this.label})`, {
      database: this.label,
      query: sql,
      retry: "reconnect",
      cause: this.#lost,
    });
  }

  /** After an error: until the server has closed the failed statement, or the session has ended. */
  async #ready(): Promise<void> {
    const { client } = this.connected;
    if (this.#lost !== undefined || isReady(client)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        client.connection.off("readyForQuery", done);
        client.off("end", done);
        resolve();
      };
      client.connection.on("readyForQuery", done);
      client.on("end", done);
    });
  }

  /** Ends the session at once, without a word to the server: what runs fails with the reason. */
  abandon(reason: Error): void {
    this.markLost(reason);
    this.socket.destroy(reason);
  }

  /** Ends the session. A statement that still runs is cancelled, else it would go on in the server, with its
   * locks, until it has something to send. */
  async end(): Promise<void> {
    const { client } = this.connected;
    const isBusy = this.isBusy && this.#lost === undefined;
    this.markLost(new Error("connection was closed"));
    const impatience = setTimeout(() => client.connection.stream.destroy(), 2000);
    try {
      if (isBusy) await Promise.race([sendCancel(this.connected).catch(() => undefined), ended(client)]);
      await client.end();
    } finally {
      clearTimeout(impatience);
    }
  }
}

/** The driver's query, with a BEGIN before it where wanted: as text in the simple protocol, else as messages of the
 * same pipeline, which the one Sync at its end closes.
 * Source: PostgreSQL manual, "Extended Query" in the protocol chapter. */
function driverQuery(
  sql: string,
  parameters: readonly unknown[],
  begin: string | undefined,
  callback: (error: Error | null | undefined, outcome: unknown) => void,
): pg.Query {
  if (begin === undefined) return new pg.Query({ text: sql, values: [...parameters] }, callback);
  if (parameters.length === 0) return new pg.Query({ text: `${begin}; ${sql}` }, callback);
  const query = new pg.Query({ text: sql, values: [...parameters] }, callback);
  const submit = query.submit.bind(query);
  query.submit = (connection) => {
    connection.stream.cork();
    try {
      connection.parse({ name: "", text: begin, types: [] }, true);
      connection.bind({}, true);
      connection.execute({}, true);
      return submit(connection);
    } finally {
      connection.stream.uncork();
    }
  };
  return query;
}

function ended(client: pg.Client): Promise<void> {
  return new Promise((resolve) => client.once("end", resolve));
}

function isSocket(stream: unknown): stream is Socket {
  return (
    typeof stream === "object" &&
    stream !== null &&
    "write" in stream &&
    "pause" in stream &&
    "cork" in stream
  );
}

function isReady(client: pg.Client): boolean {
  return "readyForQuery" in client && client.readyForQuery === true;
}

function outcomeOf<R extends object>(result: unknown): StatementOutcome<R> {
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  if (typeof last !== "object" || last === null || !("rows" in last) || !Array.isArray(last.rows)) {
    return { rows: [], command: "", affectedCount: 0, columns: [] };
  }
  const { rows, command, rowCount, fields } = last as pg.QueryResult<R>;
  const columns = fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }));
  return { rows, command: command ?? "", affectedCount: rowCount ?? 0, columns };
}
