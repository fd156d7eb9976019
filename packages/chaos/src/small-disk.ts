import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { chown, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@skytools/testbed";
import { namespaceVariable } from "./mount-namespace.ts";

const megabytes = 48;

/** A disk of limited size, which can be filled. It needs the right to mount, so `main.ts` runs everything in a mount namespace
 * of its own: the disk goes with the last process in it, however that ends. */
export class SmallDisk implements AsyncDisposable {
  /** For a tablespace: empty, owned by the account of the servers. */
  readonly tablespaceDirectory: string;
  readonly #root: string;
  readonly #ballast: string;

  private constructor(root: string) {
    this.#root = root;
    this.tablespaceDirectory = join(root, "tablespace");
    this.#ballast = join(root, "ballast");
  }

  /** @returns undefined when this process may not mount */
  static async mount(): Promise<SmallDisk | undefined> {
    if (process.env[namespaceVariable] !== "1") return undefined;
    const { path } = await temporaryDirectory("disk", "servers");
    const owner = await stat(path);
    const options = `size=${megabytes}m,mode=777`;
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", options, "chaos", path], { stdio: "ignore" });
    if (mounted.status !== 0) return undefined;
    const disk = new SmallDisk(path);
    // Before the run's directory is removed.
    process.prependListener("exit", () => disk.#unmount());
    await mkdir(disk.tablespaceDirectory, { mode: 0o700 });
    await chown(disk.tablespaceDirectory, owner.uid, owner.gid);
    return disk;
  }

  /** Not a byte is left. */
  fill(): void {
    const descriptor = openSync(this.#ballast, "w");
    try {
      for (let size = 1 << 20; size > 0; ) {
        try {
          writeSync(descriptor, Buffer.alloc(size));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
          size >>= 1;
        }
      }
    } finally {
      closeSync(descriptor);
    }
  }

  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** Lazily: a server that is being killed may still have files there. */
  #unmount(): void {
    spawnSync("umount", ["--lazy", this.#root], { stdio: "ignore" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unmount();
  }
}
