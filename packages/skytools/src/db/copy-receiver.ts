import type { Socket } from "node:net";
import type pg from "pg";
import { CopyUnpacker, headerBytes, messageCode } from "./copy-frames.ts";
import type { CopySubmittable } from "./session.ts";

/** Takes bytes of rows, cut anywhere; returns false to be paused until resume(). */
export type CopyReceive = (chunk: Buffer) => boolean;

type DataListener = (chunk: Buffer) => void;

/** The protocol end of COPY ... TO STDOUT: while the server sends rows, the socket's bytes come here instead of
 * to the driver's parser, which would make an object of each row. Everything that is not CopyData goes on to
 * the driver.
 * Source: PostgreSQL manual, "COPY Operations" in the protocol chapter. */
export class CopyReceiver implements CopySubmittable {
  readonly outcome: Promise<{ rows: bigint }>;
  readonly #unpacker = new CopyUnpacker();
  readonly sql: string;
  #receive: CopyReceive;
  #resolve!: (result: { rows: bigint }) => void;
  #reject!: (error: Error) => void;
  #socket: Socket | undefined;
  #driverListener: DataListener | undefined;
  #carry: Buffer | undefined;
  #foreignBytes = 0;
  #isDiscarding = false;
  #rows = 0n;
  #gaveData = false;

  constructor(sql: string, receive: CopyReceive) {
    this.sql = sql;
    this.#receive = receive;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** bytes of rows received */
  get bytes(): number {
    return this.#unpacker.totalBytes;
  }

  get isReceiving(): boolean {
    return this.#driverListener !== undefined;
  }

  resume(): void {
    if (this.isReceiving) this.#socket?.resume();
  }

  /** Throws away what still comes, so that the statement can end; a statement that was not sent yet fails. */
  discard(): void {
    this.#isDiscarding = true;
    this.#receive = () => true;
    this.resume();
  }

  submit(connection: pg.Connection): Error | undefined {
    if (this.#isDiscarding) return new Error("copy was given up before it began");
    const socket = connection.stream as Socket;
    const listeners = socket.listeners("data");
    if (listeners.length !== 1) throw new Error("unexpected listeners on the pg driver's socket");
    this.#socket = socket;
    this.#driverListener = listeners[0] as DataListener;
    socket.removeListener("data", this.#driverListener);
    socket.on("data", this.#onData);
    connection.query(this.sql);
    return undefined;
  }

  readonly #onData = (fresh: Buffer): void => {
    const chunk = this.#carry === undefined ? fresh : Buffer.concat([this.#carry, fresh]);
    this.#carry = undefined;
    let at = this.#passForeign(chunk, 0);
    for (;;) {
      at = this.#passRows(chunk, at);
      if (chunk.length - at < headerBytes) break;
      const code = chunk[at];
      if (code === messageCode.copyDone || code === messageCode.error || code === messageCode.ready) {
        this.#detach(chunk.subarray(at));
        return;
      }
      if (code === messageCode.copyOutResponse) this.#gaveData = true;
      this.#foreignBytes = 1 + chunk.readUInt32BE(at + 1);
      at = this.#passForeign(chunk, at);
    }
    if (at < chunk.length) this.#carry = chunk.subarray(at);
  };

  #passRows(chunk: Buffer, start: number): number {
    const end = this.#unpacker.unpack(chunk, start);
    const bytes = this.#unpacker.unpackedBytes;
    if (bytes > 0 && !this.#receive(chunk.subarray(start, start + bytes))) this.#socket?.pause();
    return end;
  }

  /** Notices, parameter changes and the like between rows belong to the driver. */
  #passForeign(chunk: Buffer, start: number): number {
    const taken = Math.min(this.#foreignBytes, chunk.length - start);
    if (taken > 0) this.#driverListener?.(chunk.subarray(start, start + taken));
    this.#foreignBytes -= taken;
    return start + taken;
  }

  #detach(rest: Buffer): void {
    const listener = this.#driverListener;
    if (listener === undefined || this.#socket === undefined) return;
    this.#driverListener = undefined;
    this.#socket.removeListener("data", this.#onData);
    this.#socket.on("data", listener);
    this.#socket.resume();
    listener(rest);
  }

  handleCommandComplete(message: { text: string }): void {
    const match = /^COPY (\d+)/.exec(message.text);
    if (match !== null) this.#rows = BigInt(match[1]!);
  }

  handleReadyForQuery(): void {
    if (this.#gaveData) this.#resolve({ rows: this.#rows });
    else this.#reject(new Error("statement is not COPY TO STDOUT"));
  }

  handleError(error: Error): void {
    this.#detach(Buffer.alloc(0));
    this.#reject(error);
  }

  handleCopyInResponse(connection: pg.Connection & { sendCopyFail(reason: string): void }): void {
    connection.sendCopyFail("COPY FROM STDIN where COPY TO STDOUT was expected");
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}
}
