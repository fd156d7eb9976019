import type { Socket } from "node:net";
import type pg from "pg";
import { headerBytes, messageCode } from "./copy-frames.ts";
import type { CopySubmittable } from "./session.ts";

const padding = Buffer.alloc(64 * 1024);

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
  #rows = 0n;
  #failReason: string | undefined;
  #failure: Error | undefined;

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

  submit(connection: pg.Connection): void {
    this.#socket = connection.stream as Socket;
    connection.query(this.sql);
  }

  handleCopyInResponse(): void {
    this.#isOpen = true;
    this.#start();
    if (this.#failReason !== undefined) this.fail(this.#failReason);
  }

  /** Writes CopyData messages that are already framed. Returns false when the socket is full, then onDrain(). */
  writeFrames(frames: Buffer): boolean {
    return this.#isOpen && this.#socket !== undefined ? this.#socket.write(frames) : true;
  }

  /** Writes the bytes of rows, cut anywhere, as one message. */
  writePayload(chunks: readonly Buffer[], bytes: number): boolean {
    if (!this.#isOpen || this.#socket === undefined || bytes === 0) return true;
    const socket = this.#socket;
    const header = Buffer.allocUnsafe(headerBytes);
    header[0] = messageCode.copyData;
    header.writeUInt32BE(bytes + 4, 1);
    socket.cork();
    let isRoomLeft = socket.write(header);
    for (const chunk of chunks) isRoomLeft = socket.write(chunk);
    socket.uncork();
    return isRoomLeft;
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

  /** Makes the server reject the COPY; the outcome fails with SQLSTATE 57014.
   * @param missingBytes how much the last frame written still lacks; zeroes fill it */
  fail(reason: string, missingBytes = 0): void {
    this.#failReason = reason;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.completeFrame(missingBytes);
    const text = Buffer.from(`${reason.replaceAll("\0", "")}\0`);
    const header = Buffer.allocUnsafe(headerBytes);
    header[0] = messageCode.copyFail;
    header.writeUInt32BE(text.length + 4, 1);
    this.#socket?.write(Buffer.concat([header, text]));
  }

  /** Ends a frame that was written in part, so that the next message is understood. */
  completeFrame(missingBytes: number): void {
    for (let missing = missingBytes; missing > 0; missing -= padding.length) {
      this.#socket?.write(missing < padding.length ? padding.subarray(0, missing) : padding);
    }
  }

  handleCommandComplete(message: { text: string }): void {
    const match = /^COPY (\d+)/.exec(message.text);
    if (match !== null) this.#rows = BigInt(match[1]!);
  }

  handleReadyForQuery(): void {
    this.#isOpen = false;
    this.#start();
    if (this.#failure === undefined) this.#resolve({ rows: this.#rows });
    else this.#reject(this.#failure);
  }

  handleError(error: Error): void {
    this.#isOpen = false;
    this.#start();
    this.#reject(error);
  }

  handleRowDescription(): void {
    this.#failure = new Error("statement is not COPY FROM STDIN");
  }

  handleDataRow(): void {}
  handleEmptyQuery(): void {
    this.handleRowDescription();
  }
  handlePortalSuspended(): void {}
  handleCopyData(): void {
    this.handleRowDescription();
  }
}
