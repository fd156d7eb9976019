import { close, closeSync, fdatasync, fsyncSync, type Stats, write, writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { crashPoint, isCrashPointSet } from "../script/crash-point.ts";

/* Files that were opened for more than reading. Nobody else gets at their descriptors, so each piece that is written into one is a
 * moment at which a test can let the process die; while it can, a piece is written in two. */

/** There is more in a file than there was, or something else. */
function written(): void {
  crashPoint("file.written");
}

/** What is written at once. */
function piecesOf(content: string | Uint8Array): readonly Uint8Array[] {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  if (!isCrashPointSet("file.written") || bytes.length < 2) return [bytes];
  const middle = bytes.length >> 1;
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}

/** A file that was opened by `openToWrite`. */
export class OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Writes all of it where the last piece has ended. @throws the system's error; a part may have been written */
  async append(content: string | Uint8Array): Promise<void> {
    for (const piece of piecesOf(content)) {
      await this.#handle.writeFile(piece);
      written();
    }
  }

  /** As {@link append}, without giving others a turn. */
  appendNow(content: Uint8Array): void {
    for (const piece of piecesOf(content)) {
      writeAllNow(this.#handle.fd, piece);
      written();
    }
  }

  /** Writes all of it at a position. A single write may take a part of it without an error, on a disk that is just full for
   * example; it is the next one that fails.
   * @throws the system's error; a part may have been written */
  async writeAt(content: Uint8Array, position: number): Promise<void> {
    let next = position;
    for (const piece of piecesOf(content)) {
      for (let at = 0; at < piece.length; ) {
        const { bytesWritten } = await this.#handle.write(piece, at, piece.length - at, next + at);
        at += bytesWritten;
      }
      next += piece.length;
      written();
    }
  }

  /** As `truncate` of a FileHandle: cuts it, or fills it with zeros. */
  async truncate(bytes: number): Promise<void> {
    await this.#handle.truncate(bytes);
    written();
  }

  /** @returns how many bytes were read */
  async read(into: Uint8Array, position: number): Promise<number> {
    return (await this.#handle.read(into, 0, into.length, position)).bytesRead;
  }

  stat(): Promise<Stats> {
    return this.#handle.stat();
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** A file that was opened by `openToWriteSync`. */
export class OpenFileSync {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Writes all of it where the last piece has ended. @throws the system's error; a part may have been written */
  append(content: string | Uint8Array): void {
    for (const piece of piecesOf(content)) {
      writeAllNow(this.#descriptor, piece);
      written();
    }
  }

  /** Writes all of it at a position, beside other work. @throws the system's error; a part may have been written */
  async writeBehind(content: Uint8Array, position: number): Promise<void> {
    let next = position;
    for (const piece of piecesOf(content)) {
      for (let at = 0; at < piece.length; ) at += await this.#writeSome(piece, at, next + at);
      next += piece.length;
      written();
    }
  }

  #writeSome(piece: Uint8Array, from: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#descriptor, piece, from, piece.length - from, position, (error, bytes) => {
        if (error === null) resolve(bytes);
        else reject(error);
      });
    });
  }

  sync(): void {
    fsyncSync(this.#descriptor);
  }

  datasyncBehind(): Promise<void> {
    return new Promise((resolve, reject) => fdatasync(this.#descriptor, settle(resolve, reject)));
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  closeBehind(): Promise<void> {
    return new Promise((resolve, reject) => close(this.#descriptor, settle(resolve, reject)));
  }
}

function settle(resolve: () => void, reject: (error: Error) => void) {
  return (error?: Error | null): void => {
    if (error === null || error === undefined) resolve();
    else reject(error);
  };
}

function writeAllNow(descriptor: number, content: Uint8Array): void {
  for (let at = 0; at < content.length; ) at += writeSync(descriptor, content, at);
}
