import { Writable } from "node:stream";
import { CopySender } from "./copy-sender.ts";

/** How a COPY stream gets at its session. */
export interface CopyInSession {
  /** runs the COPY when the session is free, with BEGIN before it where needed */
  run(submittable: CopySender): Promise<void>;
}

/** Rows for COPY ... FROM STDIN as bytes cut anywhere. `finish` comes after the server has taken all of them;
 * destroying it makes the server reject the COPY. */
export class CopyInStream extends Writable {
  /** settles when the statement has ended on the server; also when nobody listens to the stream's events */
  readonly done: Promise<{ rows: bigint }>;
  readonly #sender: CopySender;
  #isEnded = false;
  #failure: Error | undefined;

  constructor(session: CopyInSession, sql: string) {
    super({ highWaterMark: 256 * 1024, decodeStrings: true });
    this.#sender = new CopySender(sql);
    this.done = this.#run(session);
    this.done.catch(() => undefined);
  }

  async #run(session: CopyInSession): Promise<{ rows: bigint }> {
    try {
      await session.run(this.#sender);
      return await this.#sender.outcome;
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      throw this.#failure;
    } finally {
      this.#isEnded = true;
      if (this.#failure !== undefined) this.destroy(this.#failure);
    }
  }

  override _construct(callback: (error?: Error | null) => void): void {
    Promise.race([this.#sender.started, this.done.then(() => undefined)]).then(
      () => callback(),
      () => callback(),
    );
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#send([chunk], callback);
  }

  override _writev(writes: { chunk: Buffer }[], callback: () => void): void {
    this.#send(
      writes.map((write) => write.chunk),
      callback,
    );
  }

  #send(chunks: readonly Buffer[], callback: () => void): void {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (this.#sender.writePayload(chunks, bytes)) callback();
    else this.#sender.onceDrained(callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#sender.finish();
    this.done.then(
      () => callback(),
      (error: Error) => callback(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#isEnded) {
      callback(error);
      return;
    }
    this.#sender.fail(error?.message ?? "copy was given up");
    this.done.then(
      () => callback(error),
      () => callback(error),
    );
  }
}
