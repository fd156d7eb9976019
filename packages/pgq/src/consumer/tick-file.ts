import { open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { crashPoint, openToWrite, removePath, renameFile, SkytoolsError } from "@skytools/skytools";

/** A file that holds the id of the last finished tick, replaced in one step and on disk before `write` returns.
 * Source: spec/pgq-library.md A8 */
export class TickFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** @returns undefined when the file is missing or empty
   * @throws SkytoolsError TICK_FILE when it holds anything but a number */
  async read(): Promise<bigint | undefined> {
    let text: string;
    try {
      text = (await readFile(this.path, "utf8")).trim();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#error("cannot be read", error);
    }
    if (text === "") return undefined;
    if (/^\d{1,19}$/.test(text)) return BigInt(text);
    throw this.#error(`holds no tick but "${text.slice(0, 40)}"`);
  }

  /** @throws SkytoolsError TICK_FILE; the old content stays */
  async write(tickId: bigint): Promise<void> {
    const fresh = `${this.path}.new`;
    try {
      const file = await openToWrite(fresh, "w");
      try {
        await file.append(String(tickId));
        await file.sync();
      } finally {
        await file.close();
      }
      crashPoint("tick-file.before-rename");
      await renameFile(fresh, this.path);
      await syncDirectory(this.path);
    } catch (error) {
      throw this.#error("cannot be written", error);
    }
  }

  async delete(): Promise<void> {
    await removePath(this.path, { force: true });
    await syncDirectory(this.path);
  }

  #error(what: string, cause?: unknown): SkytoolsError {
    const reason = cause instanceof Error ? `: ${cause.message}` : "";
    return new SkytoolsError("TICK_FILE", `tick file ${this.path} ${what}${reason}`, {
      cause,
      retry: "later",
      hint: "The directory must exist, be writable and have room; nothing is acknowledged until then.",
    });
  }
}

/** A rename is on disk only when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
