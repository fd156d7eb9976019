import { close, closeSync, writev, writevSync } from "node:fs";
import { promisify } from "node:util";

const roomBytes = 8 << 20;
const batchBytes = 1 << 20;
const smallBytes = 64 << 10;

const closeDescriptor = promisify(close);
const writeBuffers = promisify(writev);

/** A piece of work on an open file: bytes to write, then perhaps its end. */
interface Batch {
  readonly descriptor: number;
  readonly buffers: readonly Buffer[];
  readonly position: number;
  readonly isLast: boolean;
}

/** Writes files in other threads while the next bytes arrive: a stream from a server is never held up by a disk that could still
 * take more. Files come one after the other; what does not fit into memory makes the caller wait. */
export class WriteBehind {
  #queue: Batch[] = [];
  #isWriting = false;
  #waitingBytes = 0;
  #failure: Error | undefined;
  #onRoom: (() => void)[] = [];
  #onIdle: (() => void)[] = [];

  /** Takes over a file that was opened for writing. */
  file(descriptor: number): BehindFile {
    return new BehindFile(descriptor, (batch) => this.#add(batch));
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
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #add(batch: Batch): void {
    this.#waitingBytes += bytesOf(batch.buffers);
    this.#queue.push(batch);
    if (!this.#isWriting) void this.#write();
    this.#check();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    for (let batch = this.#queue.shift(); batch !== undefined; batch = this.#queue.shift()) {
      try {
        if (this.#failure === undefined) await writeAll(batch);
      } catch (error) {
        this.#fail(error);
      }
      if (batch.isLast) await closeDescriptor(batch.descriptor).catch((error: unknown) => this.#fail(error));
      this.#waitingBytes -= bytesOf(batch.buffers);
      if (this.hasRoom) for (const tell of this.#onRoom.splice(0)) tell();
    }
    this.#isWriting = false;
    for (const tell of this.#onIdle.splice(0)) tell();
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }
}

/** A file that is written from its beginning to its end. */
export class BehindFile {
  readonly #descriptor: number;
  readonly #add: (batch: Batch) => void;
  #buffers: Buffer[] = [];
  #bytes = 0;
  #position = 0;

  constructor(descriptor: number, add: (batch: Batch) => void) {
    this.#descriptor = descriptor;
    this.#add = add;
  }

  /** Keeps the chunk. @throws the system's error, of this file or an earlier one */
  append(chunk: Buffer): void {
    this.#buffers.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= batchBytes) this.#send(false);
  }

  /** A small file is written at once. @throws the system's error, of this file or an earlier one */
  end(): void {
    if (this.#position > 0 || this.#bytes > smallBytes) {
      this.#send(true);
      return;
    }
    try {
      let buffers = this.#buffers;
      while (buffers.length > 0) buffers = after(buffers, writevSync(this.#descriptor, buffers));
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #send(isLast: boolean): void {
    const batch = { descriptor: this.#descriptor, buffers: this.#buffers, position: this.#position, isLast };
    this.#position += this.#bytes;
    this.#buffers = [];
    this.#bytes = 0;
    this.#add(batch);
  }
}

async function writeAll({ descriptor, buffers, position }: Batch): Promise<void> {
  let rest = buffers;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await writeBuffers(descriptor, rest as Buffer[], at);
    at += bytesWritten;
    rest = after(rest, bytesWritten);
  }
}

/** What a write has left over. */
function after(buffers: readonly Buffer[], written: number): Buffer[] {
  let bytes = written;
  const rest = [...buffers];
  while (rest.length > 0 && bytes >= rest[0]!.length) bytes -= rest.shift()!.length;
  if (bytes > 0) rest[0] = rest[0]!.subarray(bytes);
  return rest;
}

function bytesOf(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.length, 0);
}
