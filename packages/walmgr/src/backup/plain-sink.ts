import { constants } from "node:fs";
import { join } from "node:path";
import { createDirectorySync, openToWriteSync } from "@skytools/skytools";
import type { TarEntry, TarSink } from "./tar-reader.ts";
import type { BehindFile, WriteBehind } from "./write-behind.ts";

/** Unpacks a tar archive into a directory. Links are left out: tablespaces are put in their place by restore. */
export class PlainSink implements TarSink {
  readonly #root: string;
  readonly #files: WriteBehind;
  readonly #onFile: (path: string, size: number) => void;
  #file: BehindFile | undefined;
  #entry: TarEntry | undefined;

  constructor(root: string, files: WriteBehind, onFile: (path: string, size: number) => void) {
    this.#root = root;
    this.#files = files;
    this.#onFile = onFile;
  }

  begin(entry: TarEntry): void {
    this.#entry = entry;
    const path = join(this.#root, entry.path);
    if (entry.kind === "directory") createDirectorySync(path, { recursive: true, mode: entry.mode || 0o700 });
    if (entry.kind !== "file") return;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    this.#file = this.#files.file(openToWriteSync(path, flags, entry.mode || 0o600));
  }

  data(chunk: Buffer): void {
    this.#file!.append(chunk);
  }

  end(): void {
    const entry = this.#entry!;
    if (this.#file === undefined) return;
    this.#file.end();
    this.#file = undefined;
    this.#onFile(entry.path, entry.sizeBytes);
  }
}
