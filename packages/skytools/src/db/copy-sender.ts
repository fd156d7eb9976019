import type { Socket } from "node:net";
import type pg from "pg";
import { headerBytes, messageCode } from "./copy-frames.ts";
import type { CopySubmittable } from "./session.ts";

/** What may wait in the socket before the source is paused: enough to send in large pieces. */
const bufferedBytes = 256 * 1024;

/** The protocol end of COPY ... FROM STDIN.
 * Source: PostgreSQL manual, "COPY Operations" in the protocol chapter. */
export class CopySender implements CopySubmittable {
  readonly outcome: Promise<{ rows: bigint }>;
  /** settles when the server takes data, or with the outcome when it never does */
  readonly started: Promise<void>;
  readonly sql: string;
  #resolve!: (result: { rows: bigint }) => void;
  #reject!: (error: Error) => void;
  #start!: () => void;
  #socket: Socket | undefined;
  #isOpen = false;
  #isStarted = false;
  #rows = 0n;
  #failReason: string | undefined;
  #tookData = false;

  constructor(sql: string) {
    this.sql = sql;
    this.started = new Promise((resolve) => {
      this.#start = resolve;
    });
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** the server takes data */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** the server has answered: it takes data, or has refused */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  submit(connection: pg.Connection): void {
    this.#socket = connection.stream as Socket;
    connection.query(this.sql);
  }

  handleCopyInResponse(): void {
    this.#isOpen = true;
    this.#tookData = true;
    this.#markStarted();
    if (this.#failReason !== undefined) this.fail(this.#failReason);
  }

  #markStarted(): void {
    this.#isStarted = true;
    this.#start();
  }

  /** Writes the bytes of rows, cut anywhere, as one message; nothing when the server takes no data.
   * @returns false when enough waits to be sent: go on after onceDrained() */
  write(chunks: readonly Buffer[], bytes: number): boolean {
    if (!this.#isOpen || this.#socket === undefined || bytes === 0) return true;
    const socket = this.#socket;
    const header = Buffer.allocUnsafe(headerBytes);
    header[0] = messageCode.copyData;
    header.writeUInt32BE(bytes + 4, 1);
    socket.cork();
    socket.write(header);
    for (const chunk of chunks) socket.write(chunk);
    socket.uncork();
    return socket.writableLength < bufferedBytes;
  }

  onceDrained(callback: () => void): void {
    const socket = this.#socket;
    if (socket === undefined || !this.#isOpen) {
      callback();
      return;
    }
    const done = () => {
      socket.off("drain", done);
      socket.off("close", done);
      callback();
    };
    socket.once("drain", done);
    socket.once("close", done);
  }

  finish(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket?.write(Buffer.from([messageCode.copyDone, 0, 0, 0, 4]));
  }

  /** Makes the server reject the COPY, also when it has not begun yet; the outcome fails with SQLSTATE 57014. */
  fail(reason: string): void {
    this.#failReason ??= reason;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const text = Buffer.from(`${reason.replaceAll("\0", "")}\0`);
    const header = Buffer.allocUnsafe(headerBytes);
    header[0] = messageCode.copyFail;
    header.writeUInt32BE(text.length + 4, 1);
    this.#socket?.write(Buffer.concat([header, text]));
  }

  handleCommandComplete(message: { text: string }): void {
    const match = /^COPY (\d+)/.exec(message.text);
    if (match !== null) this.#rows = BigInt(match[1]!);
  }

  handleReadyForQuery(): void {
    this.#isOpen = false;
    this.#markStarted();
    if (this.#tookData) this.#resolve({ rows: this.#rows });
    else this.#reject(new Error("statement is not COPY FROM STDIN"));
  }

  handleError(error: Error): void {
    this.#isOpen = false;
    this.#markStarted();
    this.#reject(error);
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}
}
