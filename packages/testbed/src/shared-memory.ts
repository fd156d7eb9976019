import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** What the system keeps of a server that is killed: its shared memory, until a server starts on the same data directory again,
 * or somebody removes it. Without /proc only the smaller part of it is found.
 * Source: PostgreSQL manual, "Managing Kernel Resources"; postmaster.pid, line 7 (LOCK_FILE_LINE_SHMEM_KEY) */
export class SharedMemory {
  readonly #files: readonly string[];
  readonly #segment: string | undefined;

  private constructor(files: readonly string[], segment: string | undefined) {
    this.#files = files;
    this.#segment = segment;
  }

  /** To be asked while the server runs. */
  static of(postmaster: number, dataDirectory: string): SharedMemory {
    const children = contentOf(`/proc/${postmaster}/task/${postmaster}/children`).split(" ").filter(Boolean);
    const files = [String(postmaster), ...children].flatMap(
      (pid) => contentOf(`/proc/${pid}/maps`).match(/\/dev\/shm\/PostgreSQL\.\d+/g) ?? [],
    );
    const keyLine = contentOf(join(dataDirectory, "postmaster.pid")).split("\n")[6] ?? "";
    return new SharedMemory([...new Set(files)], /^\s*\d+\s+(\d+)\s*$/.exec(keyLine)?.[1]);
  }

  /** Of a server that was killed, and not started again. Processes that still use it keep it until they end. */
  remove(): void {
    for (const file of this.#files) rmSync(file, { force: true });
    if (this.#segment !== undefined) spawnSync("ipcrm", ["-m", this.#segment], { stdio: "ignore" });
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
