import type { Socket } from "node:net";
import { DatabaseError } from "../errors.ts";
import { classifySqlState } from "./classify-error.ts";
import { parseConnectString } from "./connect-parameters.ts";
import { type Connected, connect, targetLabel } from "./connector.ts";
import { shortenQuery } from "./database-error.ts";
import {
  columnNames,
  MessageSplitter,
  messageFields,
  rowValues,
  serverMessage,
} from "./replication-messages.ts";
import { serverVersionNumber } from "./reported-settings.ts";
import { ReusingSocket } from "./reusing-socket.ts";

/** A row that a replication command returns: column name to text. */
export type ReplicationRow = Readonly<Record<string, string | null>>;

/** What a replication command sends besides rows. */
export interface ReplicationReceiver {
  /** A copy begins; `in` wants our data now, `both` takes and gives. */
  onCopyStart?(kind: "in" | "out" | "both"): void;
  /** One CopyData message; the buffer may be kept. */
  onCopyData?(payload: Buffer): void;
  /** For streams of large messages, instead of `onCopyData`: each is given in the pieces that arrive, whose bytes are valid during
   * the call only. The message's first byte is in its first piece. */
  onCopyPiece?(piece: Buffer, isFirst: boolean, isLast: boolean): void;
  /** The server has ended its side of the copy. */
  onCopyDone?(): void;
  /** A row arrived; also part of the result. */
  onRow?(row: ReplicationRow): void;
}

export interface ReplicationOptions {
  readonly applicationName?: string;
  readonly connectTimeoutMs?: number;
  readonly onNotice?: (message: string) => void;
}

interface Running {
  readonly sql: string;
  readonly receiver: ReplicationReceiver;
  readonly resultSets: ReplicationRow[][];
  readonly resolve: (resultSets: ReplicationRow[][]) => void;
  readonly reject: (error: Error) => void;
  columns: string[];
  failure: DatabaseError | undefined;
}

/** A physical replication connection: the driver connects and authenticates, then the messages come straight here, with
 * their boundaries, which base backups and WAL streams need. One command at a time. The role needs REPLICATION and
 * pg_hba.conf a line for the database `replication`.
 * Source: PostgreSQL manual, "Streaming Replication Protocol". */
export class ReplicationConnection {
  readonly label: string;
  /** e.g. 150018 for 15.18 */
  readonly serverVersion: number;
  readonly #socket: Socket;
  readonly #onNotice: (message: string) => void;
  #running: Running | undefined;
  #lost: Error | undefined;

  private constructor(connected: Connected, onNotice: (message: string) => void) {
    this.label = `replication on ${targetLabel(connected.target)}`;
    this.serverVersion = serverVersionNumber(connected.reported.get("server_version") ?? "");
    this.#onNotice = onNotice;
    this.#socket = connected.client.connection.stream as Socket;
    const splitter = new MessageSplitter((code, payload) => this.#take(code, payload), {
      isWanted: () => this.#running?.receiver.onCopyPiece !== undefined,
      take: (piece, isFirst, isLast) =>
        this.#guarded(({ receiver }) => receiver.onCopyPiece?.(piece, isFirst, isLast)),
    });
    this.#socket.removeAllListeners("data");
    if (this.#socket instanceof ReusingSocket) {
      this.#socket.onChunk = (chunk) => {
        const isBorrowed = this.#running?.receiver.onCopyPiece !== undefined;
        this.#receive(splitter, isBorrowed ? chunk : Buffer.from(chunk), isBorrowed);
      };
    } else this.#socket.on("data", (chunk: Buffer) => this.#receive(splitter, chunk, false));
    this.#socket.on("error", (error) => this.#lose(error));
    this.#socket.on("close", () => this.#lose(new Error("connection lost")));
  }

  /** @param connstr libpq connect string or URI; its database is not used
   * @throws UsageError for a bad connect string, DatabaseError when no server accepts */
  static async open(connstr: string, options: ReplicationOptions = {}): Promise<ReplicationConnection> {
    const parsed = parseConnectString(connstr);
    const parameters = {
      ...parsed,
      // What the password file calls the database of such connections.
      database: "replication",
      replication: "true",
      connectTimeoutMs: options.connectTimeoutMs ?? parsed.connectTimeoutMs,
    };
    const connected = await connect(parameters, {
      applicationName: parsed.applicationName ?? options.applicationName,
      warn: () => undefined,
    });
    return new ReplicationConnection(connected, options.onNotice ?? (() => undefined));
  }

  /** why the connection can no longer be used */
  get lost(): Error | undefined {
    return this.#lost;
  }

  /** Runs a command to its end.
   * @returns the rows of each result set
   * @throws DatabaseError */
  async run(sql: string, receiver: ReplicationReceiver = {}): Promise<ReplicationRow[][]> {
    if (this.#running !== undefined) throw new Error("a replication command is running already");
    if (this.#lost !== undefined) throw this.#lostError(this.#lost, sql);
    try {
      return await new Promise((resolve, reject) => {
        this.#running = {
          sql,
          receiver,
          resultSets: [],
          resolve,
          reject,
          columns: [],
          failure: undefined,
        };
        this.#send(0x51, Buffer.from(`${sql}\0`));
      });
    } finally {
      this.#running = undefined;
    }
  }

  /** The only row of a command. @throws DatabaseError */
  async runForRow(sql: string): Promise<ReplicationRow> {
    const row = (await this.run(sql)).at(-1)?.[0];
    if (row === undefined) throw this.#error("the server returned no row", sql);
    return row;
  }

  /** Sends a CopyData message. @returns false when more should wait for `drained` */
  sendCopyData(payload: Buffer): boolean {
    return this.#send(serverMessage.copyData, payload);
  }

  sendCopyDone(): void {
    this.#send(serverMessage.copyDone, Buffer.alloc(0));
  }

  /** Resolves when what was sent has left this process, or the connection is gone. */
  async drained(): Promise<void> {
    if (this.#lost !== undefined || !this.#socket.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#socket.off("drain", done);
        this.#socket.off("close", done);
        resolve();
      };
      this.#socket.on("drain", done);
      this.#socket.on("close", done);
    });
  }

  /** Stops reading until `resume`; the server is held up by that. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends the connection at once; a command that runs fails. */
  close(): void {
    const isIdle = this.#running === undefined && this.#lost === undefined;
    if (isIdle) this.#send(0x58, Buffer.alloc(0));
    this.#lose(new Error("connection was closed"));
    if (isIdle) this.#socket.end();
    else this.#socket.destroy();
  }

  #send(code: number, payload: Buffer): boolean {
    if (this.#lost !== undefined) return true;
    const header = Buffer.allocUnsafe(5);
    header[0] = code;
    header.writeUInt32BE(payload.length + 4, 1);
    this.#socket.cork();
    this.#socket.write(header);
    const isRoomy = this.#socket.write(payload);
    this.#socket.uncork();
    return isRoomy;
  }

  #lose(reason: Error): void {
    this.#lost ??= reason;
    this.#running?.reject(this.#running.failure ?? this.#lostError(reason, this.#running.sql));
  }

  #receive(splitter: MessageSplitter, chunk: Buffer, isBorrowed: boolean): void {
    try {
      splitter.push(chunk, isBorrowed);
    } catch (error) {
      this.#lose(error instanceof Error ? error : new Error(String(error)));
      this.#socket.destroy();
    }
  }

  #take(code: number, payload: Buffer): void {
    if (code === serverMessage.notice) this.#onNotice(messageFields(payload).get("M") ?? "");
    else this.#guarded((running) => this.#dispatch(running, code, payload));
  }

  #guarded(give: (running: Running) => void): void {
    const running = this.#running;
    if (running === undefined) return;
    try {
      give(running);
    } catch (error) {
      // What a receiver cannot take ends the command: the stream cannot be rejoined in the middle.
      running.reject(error instanceof Error ? error : new Error(String(error)));
      this.close();
    }
  }

  #dispatch(running: Running, code: number, payload: Buffer): void {
    const { receiver } = running;
    switch (code) {
      case serverMessage.copyData:
        if (receiver.onCopyPiece === undefined) receiver.onCopyData?.(payload);
        else receiver.onCopyPiece(payload, true, true);
        return;
      case serverMessage.copyInResponse:
        receiver.onCopyStart?.("in");
        return;
      case serverMessage.copyOutResponse:
        receiver.onCopyStart?.("out");
        return;
      case serverMessage.copyBothResponse:
        receiver.onCopyStart?.("both");
        return;
      case serverMessage.copyDone:
        receiver.onCopyDone?.();
        return;
      case serverMessage.rowDescription:
        running.columns = columnNames(payload);
        running.resultSets.push([]);
        return;
      case serverMessage.dataRow: {
        const values = rowValues(payload);
        const row = Object.fromEntries(running.columns.map((name, index) => [name, values[index] ?? null]));
        running.resultSets.at(-1)?.push(row);
        receiver.onRow?.(row);
        return;
      }
      case serverMessage.error:
        running.failure ??= this.#serverError(messageFields(payload), running.sql);
        return;
      case serverMessage.ready:
        if (running.failure === undefined) running.resolve(running.resultSets);
        else running.reject(running.failure);
        return;
      default:
    }
  }

  #serverError(fields: Map<string, string>, sql: string): DatabaseError {
    const sqlState = fields.get("C") ?? "";
    return new DatabaseError(`${fields.get("M") ?? "unknown error"} (${this.label})`, {
      database: this.label,
      query: shortenQuery(sql),
      sqlState,
      retry: classifySqlState(sqlState),
      detail: fields.get("D"),
      hint: fields.get("H"),
    });
  }

  #lostError(cause: Error, sql: string): DatabaseError {
    return this.#error(`connection lost: ${cause.message}`, sql, cause);
  }

  #error(message: string, sql: string, cause?: Error): DatabaseError {
    return new DatabaseError(`${message} (${this.label})`, {
      database: this.label,
      query: shortenQuery(sql),
      retry: "reconnect",
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
