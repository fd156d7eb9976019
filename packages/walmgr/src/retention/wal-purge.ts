import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint, removePath } from "@skytools/skytools";
import { ChecksumList } from "../archive/checksum-list.ts";
import { splitCodec } from "../archive/codec.ts";
import { oldDraftMs, syncDirectory } from "../archive/durable-file.ts";
import { restartFile } from "../archive/local-archive.ts";
import { draftName } from "../archive/publish-file.ts";
import type { BackupSet } from "../backup/set-info.ts";
import { parseWalName, segmentNumber } from "../wal/wal-name.ts";

const standbyMemoryMs = 7 * 86_400_000;

/** The first segment that something needs: the oldest backup set, or a standby that reads the archive. Segments before it
 * are needed by nobody, whatever their timeline: recovery only goes forward from where a set begins.
 * @returns undefined when there is no set: then nothing may go */
export async function firstNeededSegment(
  sets: readonly BackupSet[],
  completedWals: string,
): Promise<{ readonly number: bigint; readonly segmentSize: number } | undefined> {
  const newest = sets[0]?.info;
  if (newest === undefined) return undefined;
  const { segmentSize } = newest;
  const own = sets.filter((set) => set.info.systemIdentifier === newest.systemIdentifier);
  const numbers = own.map((set) => segmentNumber(set.info.firstSegment, segmentSize));
  const restart = await standbyRestart(completedWals);
  if (restart !== undefined) numbers.push(segmentNumber(restart, segmentSize));
  const [first] = numbers.toSorted((a, b) => (a < b ? -1 : 1));
  return { number: first!, segmentSize };
}

async function standbyRestart(completedWals: string): Promise<string | undefined> {
  const path = join(completedWals, restartFile);
  try {
    const { mtimeMs } = await stat(path);
    const name = (await readFile(path, "utf8")).trim();
    const isSegment = parseWalName(name)?.kind === "segment";
    return isSegment && Date.now() - mtimeMs < standbyMemoryMs ? name : undefined;
  } catch {
    return undefined;
  }
}

/** The stored files that nobody needs. Timeline histories always stay. */
export async function unneededWal(
  directory: string,
  needed: { readonly number: bigint; readonly segmentSize: number },
): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((storedName) => {
      const parsed = parseWalName(splitCodec(storedName).name);
      if (parsed === undefined || parsed.kind === "history") return false;
      return segmentNumber(parsed.segment, needed.segmentSize) < needed.number;
    })
    .sort();
}

/** Removes stored files, checksums of which nothing is left, and what interrupted calls left behind. */
export async function removeWal(directory: string, storedNames: readonly string[]): Promise<void> {
  for (const name of storedNames) {
    await removePath(join(directory, name), { force: true });
    crashPoint("purge.removed");
  }
  const left = await readdir(directory).catch(() => []);
  const kept = left.filter((name) => parseWalName(splitCodec(name).name) !== undefined);
  await new ChecksumList(directory).forget(kept, left);
  await removeDrafts(directory, oldDraftMs);
  if (storedNames.length > 0) await syncDirectory(directory);
}

/** @returns what was removed */
export async function removeDrafts(directory: string, olderThanMs: number): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await readdir(directory).catch(() => [])) {
    if (!draftName.test(name)) continue;
    const found = await stat(join(directory, name)).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < olderThanMs) continue;
    await removePath(join(directory, name), { force: true });
    removed.push(name);
  }
  return removed;
}
