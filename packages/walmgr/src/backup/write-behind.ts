import type { OpenFileSync } from "@skytools/skytools";

const roomBytes = 8 << 20;
const batchBytes = 1 << 20;
const smallBytes = 64 << 10;
const syncedBytes = 32 << 20;

/** A piece of work on an open file: bytes to write, then perhaps its end. */
interface Batch {
  readonly file: OpenFileSync;
  readonly buffer: Buffer;
  readonly bytes: number;
  readonly position: number;
  readonly isLast: boolean;
}

/** Writes files in other threads while the next bytes arrive: a stream from a server is never held up by a disk that could still
 * take more. Files come one after the other; what does not fit into memory makes the caller wait. The disk begins early: what
 * the system holds back until the last file has come is what everybody waits for then. */
export class WriteBehind {
  #queue: Batch[] = [];
  #isWriting = false;
  #waitingBytes = 0;
  #unsyncedBytes = 0;
  #isSyncing = false;
  /** syncs and closes, one after the other */
  #settled: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #onRoom: (() => void)[] = [];
  #onIdle: (() => void)[] = [];
  readonly #free: Buffer[] = [];

  /** Takes over a file that was opened for writing. */
  file(file: OpenFileSync): BehindFile {
    return new BehindFile(file, {
      take: () => this.#free.pop() ?? Buffer.allocUnsafeSlow(batchBytes),
      giveBack: (buffer) => this.#free.push(buffer),
      add: (batch) => this.#add(batch),
    });
  }

  get hasRoom(): boolean {
    return this.#waitingBytes < roomBytes;
  }

  /** Resolves when there is room again, also after a failure, which the next call tells. */
  async room(): Promise<void> {
    if (this.hasRoom) return;
    await new Promise<void>((resolve) => this.#onRoom.push(resolve));
  }

  /** Resolves when everything is written and closed.
   * @throws the system's first error */
  async finish(): Promise<void> {
    if (this.#isWriting) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    await this.#settled;
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #add(batch: Batch): void {
    this.#waitingBytes += batch.bytes;
    this.#queue.push(batch);
    if (!this.#isWriting) void this.#write();
    this.#check();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    for (let batch = this.#queue.shift(); batch !== undefined; batch = this.#queue.shift()) {
      try {
        if (this.#failure === undefined)
          await batch.file.writeBehind(batch.buffer.subarray(0, batch.bytes), batch.position);
      } catch (error) {
        this.#fail(error);
      }
      this.#settle(batch);
      this.#free.push(batch.buffer);
      this.#waitingBytes -= batch.bytes;
      if (this.hasRoom) for (const tell of this.#onRoom.splice(0)) tell();
    }
    this.#isWriting = false;
    for (const tell of this.#onIdle.splice(0)) tell();
  }

  /** Now and then the disk is to have what was written; a file that is complete is closed. The next bytes do not wait. */
  #settle({ file, bytes, isLast }: Batch): void {
    this.#unsyncedBytes += bytes;
    const isDue = this.#unsyncedBytes >= syncedBytes && !this.#isSyncing;
    if (!isDue && !isLast) return;
    if (isDue) {
      this.#unsyncedBytes = 0;
      this.#isSyncing = true;
    }
    this.#settled = this.#settled.then(async () => {
      try {
        if (isDue) await file.datasyncBehind();
      } catch (error) {
        this.#fail(error);
      }
      if (isDue) this.#isSyncing = false;
      if (isLast) await file.closeBehind().catch((error: unknown) => this.#fail(error));
    });
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }
}

/** Buffers, and who writes them. */
interface Writer {
  take(): Buffer;
  giveBack(buffer: Buffer): void;
  /** Gives the buffer back by itself. */
  add(batch: Batch): void;
}

/** A file that is written from its beginning to its end. */
export class BehindFile {
  readonly #file: OpenFileSync;
  readonly #writer: Writer;
  #buffer: Buffer;
  #bytes = 0;
  #position = 0;

  constructor(file: OpenFileSync, writer: Writer) {
    this.#file = file;
    this.#writer = writer;
    this.#buffer = writer.take();
  }

  /** Copies the chunk. @throws the system's error, of this file or an earlier one */
  append(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const bytes = chunk.copy(this.#buffer, this.#bytes, at);
      at += bytes;
      this.#bytes += bytes;
      if (this.#bytes < batchBytes) return;
      this.#send(false);
      this.#buffer = this.#writer.take();
    }
  }

  /** A small file is written at once. @throws the system's error, of this file or an earlier one */
  end(): void {
    if (this.#position > 0 || this.#bytes > smallBytes) {
      this.#send(true);
      return;
    }
    try {
      if (this.#bytes > 0) this.#file.append(this.#buffer.subarray(0, this.#bytes));
    } finally {
      this.#file.close();
      this.#writer.giveBack(this.#buffer);
    }
  }

  #send(isLast: boolean): void {
    const bytes = this.#bytes;
    const position = this.#position;
    this.#position += bytes;
    this.#bytes = 0;
    this.#writer.add({ file: this.#file, buffer: this.#buffer, bytes, position, isLast });
  }
}
