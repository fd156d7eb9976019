import { Readable } from "node:stream";
import { CopyReceiver } from "./copy-receiver.ts";

/** How a COPY stream gets at its session. */
export interface CopySession {
  /** runs the COPY when the session is free, with BEGIN before it where needed */
  run(submittable: CopyReceiver): Promise<void>;
  cancel(): Promise<void>;
}

/** The bytes that COPY ... TO STDOUT sends, with back-pressure; chunks are cut anywhere, also inside a row. It
 * ends after the server has ended the statement, and `rows` is final then. Destroying it early cancels the
 * statement on the server, which leaves an open transaction failed. */
export class CopyOutStream extends Readable {
  readonly #receiver: CopyReceiver;
  readonly #session: CopySession;
  #isEnded = false;
  rows: bigint | undefined;
  readonly #finished: Promise<void>;

  constructor(session: CopySession, sql: string) {
    super({ highWaterMark: 256 * 1024 });
    this.#session = session;
    this.#receiver = new CopyReceiver(sql, "payload", (chunk) => this.push(chunk));
    this.#finished = this.#run();
  }

  /** bytes of rows received */
  get bytes(): number {
    return this.#receiver.scanner.payloadBytes;
  }

  async #run(): Promise<void> {
    try {
      await this.#session.run(this.#receiver);
      this.#isEnded = true;
      this.rows = (await this.#receiver.outcome).rows;
      this.push(null);
    } catch (error) {
      this.#isEnded = true;
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  override _read(): void {
    this.#receiver.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#isEnded) {
      callback(error);
      return;
    }
    this.#receiver.discard();
    this.#session.cancel().then(
      () => this.#finished.then(() => callback(error)),
      () => callback(error),
    );
  }
}
