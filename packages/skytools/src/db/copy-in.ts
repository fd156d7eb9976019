import { Writable } from "node:stream";
import { CopySender } from "./copy-sender.ts";
import type { CopySubmittable } from "./session.ts";

/** What a COPY IN stream needs of its database. */
export interface CopyInSession {
  runCopy(submittable: CopySubmittable): Promise<void>;
}

type Callback = (error?: Error | null) => void;

/** Rows for COPY ... FROM STDIN as bytes cut anywhere. `finish` comes after the server has taken all of them;
 * destroying it makes the server reject the COPY. */
export class CopyInStream extends Writable {
  /** settles when the statement has ended on the server and the session is free again; also when nobody listens
   * to the stream's events */
  readonly done: Promise<{ rows: bigint }>;
  readonly #sender: CopySender;
  #isEnded = false;

  constructor(session: CopyInSession, sql: string) {
    super({ highWaterMark: 256 * 1024, decodeStrings: true });
    this.#sender = new CopySender(sql);
    this.done = this.#run(session);
    this.done.catch(() => undefined);
  }

  async #run(session: CopyInSession): Promise<{ rows: bigint }> {
    try {
      await session.runCopy(this.#sender);
      return await this.#sender.outcome;
    } catch (error) {
      this.#isEnded = true;
      this.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      this.#isEnded = true;
    }
  }

  override _construct(callback: Callback): void {
    void this.#whenStarted(callback);
  }

  async #whenStarted(callback: Callback): Promise<void> {
    await Promise.allSettled([Promise.race([this.#sender.started, this.done])]);
    callback();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#send([chunk], callback);
  }

  override _writev(writes: { chunk: Buffer }[], callback: Callback): void {
    this.#send(
      writes.map((write) => write.chunk),
      callback,
    );
  }

  #send(chunks: readonly Buffer[], callback: Callback): void {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (this.#sender.write(chunks, bytes)) callback();
    else this.#sender.onceDrained(callback);
  }

  override _final(callback: Callback): void {
    this.#sender.finish();
    void this.#whenDone(callback);
  }

  async #whenDone(callback: Callback): Promise<void> {
    const [result] = await Promise.allSettled([this.done]);
    callback(result?.status === "rejected" && result.reason instanceof Error ? result.reason : null);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    void this.#giveUp(error, callback);
  }

  async #giveUp(error: Error | null, callback: Callback): Promise<void> {
    if (!this.#isEnded) {
      this.#sender.fail(error?.message ?? "copy was given up");
      await Promise.allSettled([this.done]);
    }
    callback(error);
  }
}
