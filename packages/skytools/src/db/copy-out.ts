import { Readable } from "node:stream";
import { CopyReceiver } from "./copy-receiver.ts";
import type { CopySubmittable } from "./session.ts";

/** What a COPY OUT stream needs of its database. */
export interface CopyOutSession {
  runCopy(submittable: CopySubmittable): Promise<void>;
  cancelRunning(): Promise<void>;
}

/** of what the driver reads at a time, 64 kB */
const chunksAhead = 4;

/** The bytes that COPY ... TO STDOUT sends, with back-pressure; chunks are cut anywhere, also inside a row.
 * Destroying it early cancels the statement on the server: an open transaction may have failed then, what it did before is kept
 * by a savepoint only. */
export class CopyOutStream extends Readable {
  /** settles when the statement has ended on the server and the session is free again; also when nobody listens
   * to the stream's events */
  readonly done: Promise<{ rows: bigint }>;
  readonly #receiver: CopyReceiver;
  readonly #session: CopyOutSession;
  #isEnded = false;

  constructor(session: CopyOutSession, sql: string) {
    // Chunk by chunk, as they are: joining them would copy every byte once more.
    super({ objectMode: true, highWaterMark: chunksAhead });
    this.#session = session;
    this.#receiver = new CopyReceiver(sql, (chunk) => this.push(chunk));
    this.done = this.#run();
    this.done.catch(() => undefined);
  }

  /** bytes of rows received */
  get bytes(): number {
    return this.#receiver.bytes;
  }

  async #run(): Promise<{ rows: bigint }> {
    try {
      await this.#session.runCopy(this.#receiver);
      this.#isEnded = true;
      this.push(null);
      return await this.#receiver.outcome;
    } catch (error) {
      this.#isEnded = true;
      this.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      this.#isEnded = true;
    }
  }

  override _read(): void {
    this.#receiver.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    void this.#giveUp(error, callback);
  }

  async #giveUp(error: Error | null, callback: (error?: Error | null) => void): Promise<void> {
    if (!this.#isEnded) {
      this.#receiver.discard();
      await Promise.allSettled([this.#session.cancelRunning(), this.done]);
    }
    callback(error);
  }
}
