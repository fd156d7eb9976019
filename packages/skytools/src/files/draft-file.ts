import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { openToWriteSync, removePathSync } from "./change-files.ts";
import type { OpenFileSync } from "./open-file.ts";
import { renameFileSync } from "./take-name.ts";

/** A file that gets its name when it is whole: until then it is `<path>.new`, which is always a file of our own. What has that name, a
 * draft that a killed process left or a link that somebody put there, goes away unread. */
export class DraftFile {
  readonly #path: string;
  readonly #file: OpenFileSync;

  /** @param mode permissions, as far as the umask allows them
   * @throws the system's error */
  constructor(path: string, mode: number) {
    this.#path = path;
    removePathSync(this.#draft, { force: true });
    this.#file = openToWriteSync(this.#draft, "wx", mode);
  }

  get #draft(): string {
    return `${this.#path}.new`;
  }

  write(content: string | Uint8Array): void {
    this.#file.append(content);
  }

  /** Puts the file in place of one that has its name: after a crash at any moment, of the process or the machine, there is the old or the new
   * one, whole.
   * @param beforehand called when the content is on the disk */
  publish(beforehand?: () => void): void {
    try {
      this.#file.sync();
    } finally {
      this.#file.close();
    }
    beforehand?.();
    renameFileSync(this.#draft, this.#path);
    syncDirectory(dirname(this.#path));
  }

  discard(): void {
    this.#file.close();
    removePathSync(this.#draft, { force: true });
  }
}

/** Makes what happened to the names of a directory last. */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
