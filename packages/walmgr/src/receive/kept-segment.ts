import { type FileHandle, readdir } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint, type Log, removePath, renameFile } from "@skytools/skytools";
import type { Archive } from "../archive/archive.ts";
import { openRegular, syncDirectory } from "../archive/durable-file.ts";
import { localSource } from "../archive/local-source.ts";
import { WalError } from "../wal/wal-error.ts";
import { parseWalName } from "../wal/wal-name.ts";

/** `<segment>.kept`: received whole. `<segment>.partial.kept`: whether it is whole is not known. A number where there are several. */
const keptName = /^([0-9A-F]{24})(\.partial)?\.kept(?:\.\d+)?$/;

/** Gives what was received of a segment, of which the archive holds something else, a name under which nobody takes it for a begun
 * segment; it stays until the archive has the very same.
 * @param isWhole false: a receiver may have ended in the middle of it
 * @returns its path */
export async function keepReceived(partialWals: string, segment: string, isWhole: boolean): Promise<string> {
  const names = new Set(await readdir(partialWals));
  const first = `${segment}${isWhole ? "" : ".partial"}.kept`;
  let name = first;
  for (let number = 2; names.has(name); number++) name = `${first}.${number}`;
  await renameFile(join(partialWals, `${segment}.partial`), join(partialWals, name));
  await syncDirectory(partialWals);
  crashPoint("receiver.kept");
  return join(partialWals, name);
}

/** What earlier runs have left of segments that the archive has: it goes where the archive's copy is whole and holds the same,
 * and is kept where it does not. A whole one that was kept is archived as soon as the archive's wrong copy was moved away. */
export async function settleReceived(archive: Archive, partialWals: string, log: Log): Promise<void> {
  const archived = new Set((await archive.list()).map((file) => file.name));
  for (const name of (await readdir(partialWals)).sort()) {
    const path = join(partialWals, name);
    const parsed = parseWalName(name);
    if (parsed?.kind === "partial" && archived.has(parsed.segment)) {
      if (await isCovered(archive, parsed.segment, path)) await removePath(path, { force: true });
      else reportKept(log, parsed.segment, await keepReceived(partialWals, parsed.segment, false));
      continue;
    }
    const kept = keptName.exec(name);
    if (kept === null) continue;
    const segment = kept[1]!;
    const isStored =
      !archived.has(segment) && kept[2] === undefined && (await isTaken(archive, segment, path, log));
    if (isStored || (archived.has(segment) && (await isCovered(archive, segment, path))))
      await removePath(path, { force: true });
    else reportKept(log, segment, path);
  }
}

/** What is kept in a directory of begun segments. */
export async function keptFiles(partialWals: string): Promise<string[]> {
  const names = await readdir(partialWals).catch((): string[] => []);
  return names.filter((name) => keptName.test(name)).sort();
}

/** For the operator, as long as it lasts. */
export function reportKept(log: Log, segment: string, path: string): void {
  log.error(
    `What was received of ${segment} stays as ${path}: the archive does not have the same. ` +
      "Move the archive's copy away if that is the wrong or damaged one, and start the receiver again.",
  );
}

async function isTaken(archive: Archive, segment: string, path: string, log: Log): Promise<boolean> {
  const { failure } = await archive.store([await localSource(segment, path)]);
  if (failure !== undefined) {
    log.warn(`${path} could not be archived: ${failure.message}`);
    return false;
  }
  log.info(`${segment}: archived from ${path}`);
  return true;
}

/** Whether an archived segment is whole, and has all that a file holds: the file may be zeros from somewhere on, where nothing was
 * received. */
async function isCovered(archive: Archive, segment: string, path: string): Promise<boolean> {
  const handle = await openRegular(path);
  try {
    const comparison = new Comparison(handle);
    const isThere = await archive.read(segment, {}, (chunk) => comparison.take(chunk));
    return isThere && comparison.isCovered && comparison.length >= (await handle.stat()).size;
  } catch (error) {
    // Damaged, or not to be read now: then nothing is known about it.
    if (error instanceof WalError) return false;
    throw error;
  } finally {
    await handle.close();
  }
}

/** Compares what was received with the archived bytes as they come. */
class Comparison {
  readonly #received: FileHandle;
  length = 0;
  #isPastEnd = false;
  isCovered = true;

  constructor(received: FileHandle) {
    this.#received = received;
  }

  async take(archived: Buffer): Promise<void> {
    const own = Buffer.alloc(archived.length);
    const { bytesRead } = await this.#received.read(own, 0, own.length, this.length);
    this.length += archived.length;
    const received = own.subarray(0, bytesRead);
    let at = 0;
    if (!this.#isPastEnd) {
      if (received.equals(archived.subarray(0, bytesRead))) return;
      while (received[at] === archived[at]) at += 1;
      this.#isPastEnd = true;
    }
    if (received.subarray(at).some((byte) => byte !== 0)) this.isCovered = false;
  }
}
