import { closeSync, existsSync, fstatSync, openSync, type Stats, statSync, writeFileSync } from "node:fs";
import { removePathSync } from "../files/change-files.ts";
import { renameFileSync } from "../files/take-name.ts";

export interface RotatingFileOptions {
  /** size at which the file is put aside; 0: never */
  readonly maxBytes: number;
  /** files kept: `.1`, the newest, to `.n`; 0: the file is never put aside */
  readonly keptFiles: number;
}

/** A log file that is put aside when it has grown, by this process or any other that writes the same file: each write looks
 * whether the name still means the open file. A write is complete when the call returns.
 * Source: spec/framework.md 6.2 */
export class RotatingFile {
  readonly path: string;
  readonly #options: RotatingFileOptions;
  #descriptor: number;
  #identity: Stats;

  /** @throws the system's error when the file cannot be opened for appending */
  constructor(path: string, options: RotatingFileOptions) {
    this.path = path;
    this.#options = options;
    this.#descriptor = openSync(path, "a", 0o644);
    this.#identity = fstatSync(this.#descriptor);
  }

  write(text: string): void {
    const current = statSync(this.path, { throwIfNoEntry: false });
    if (!this.#isOpenFile(current)) this.reopen();
    else if (this.#isFull(current.size, Buffer.byteLength(text))) this.#rotate();
    writeFileSync(this.#descriptor, text);
  }

  /** Opens the file anew by its name: after a rotation from outside. The old one stays open when that fails. */
  reopen(): void {
    const descriptor = openSync(this.path, "a", 0o644);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#identity = fstatSync(descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #isOpenFile(current: Stats | undefined): current is Stats {
    return current?.ino === this.#identity.ino && current.dev === this.#identity.dev;
  }

  #isFull(size: number, added: number): boolean {
    const { maxBytes, keptFiles } = this.#options;
    return maxBytes > 0 && keptFiles > 0 && size > 0 && size + added > maxBytes;
  }

  #rotate(): void {
    const { keptFiles } = this.#options;
    removePathSync(`${this.path}.${keptFiles}`, { force: true });
    for (let number = keptFiles - 1; number >= 1; number--) {
      const name = `${this.path}.${number}`;
      if (existsSync(name)) renameFileSync(name, `${this.path}.${number + 1}`);
    }
    renameFileSync(this.path, `${this.path}.1`);
    this.reopen();
  }
}
