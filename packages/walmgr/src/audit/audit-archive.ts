import { join } from "node:path";
import type { StoredFile } from "../archive/archive.ts";
import { checkIdentity } from "../archive/archive-identity.ts";
import { ChecksumList } from "../archive/checksum-list.ts";
import { splitCodec } from "../archive/codec.ts";
import { readText } from "../archive/fetch-file.ts";
import { readStored } from "../archive/stored-content.ts";
import { checkWalFile, headBytes } from "../archive/wal-check.ts";
import { type BackupSet, listSets } from "../backup/set-info.ts";
import type { Settings } from "../place/settings.ts";
import { missingForConsistency } from "../retention/expire.ts";
import { firstNeededSegment } from "../retention/wal-purge.ts";
import { parseHistory, type TimelineHistory } from "../wal/timeline-history.ts";
import { parseWalName } from "../wal/wal-name.ts";
import { describeGap, findGaps, type WalGap } from "./wal-gaps.ts";

/** What an archive lacks, by the names of its files. */
export interface ArchiveGaps {
  readonly files: readonly StoredFile[];
  readonly sets: readonly BackupSet[];
  readonly gaps: readonly WalGap[];
  /** histories of timelines that have segments */
  readonly missingHistories: readonly string[];
  readonly problems: readonly string[];
}

/** Looks at names only. @throws WalError exit code 2 when the archive cannot be read */
export async function auditNames(settings: Settings): Promise<ArchiveGaps> {
  const archive = settings.localArchive();
  const files = await archive.list();
  const sets = await listSets(settings.paths.fullBackup);
  const identity = await archive.identity();
  const histories: TimelineHistory[] = [];
  const problems: string[] = [];
  for (const { name } of files) {
    const parsed = parseWalName(name);
    if (parsed?.kind !== "history") continue;
    try {
      histories.push(parseHistory(parsed.timeline, (await readText(archive, name)) ?? ""));
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  const needed = await firstNeededSegment(sets, settings.paths.completed);
  const names = files.map((file) => file.name);
  const gaps =
    identity === undefined ? [] : findGaps(names, identity.segmentSize, needed?.number ?? 0n, histories);
  const stored = new Set(names);
  const timelines = new Set(
    names.flatMap((name) => (parseWalName(name)?.kind === "segment" ? [name.slice(0, 8)] : [])),
  );
  const missingHistories = [...timelines]
    .filter((timeline) => Number.parseInt(timeline, 16) > 1 && !stored.has(`${timeline}.history`))
    .map((timeline) => `${timeline}.history`);
  problems.push(...gaps.map(describeGap), ...missingHistories.map((name) => `${name} is missing`));
  for (const set of sets) {
    const missing =
      set.info.includesWal || set.info.serverVersion === 0 ? [] : missingForConsistency(set, stored);
    if (missing.length > 0)
      problems.push(`backup set ${set.name} cannot be restored: ${missing[0]} is missing`);
  }
  return { files, sets, gaps, missingHistories, problems };
}

/** Reads every file of the archive again.
 * @returns what is damaged */
export async function auditContents(
  settings: Settings,
  files: readonly StoredFile[],
  onFile: (bytes: number) => void,
): Promise<string[]> {
  const directory = settings.paths.completed;
  const checksums = new ChecksumList(directory);
  const identity = await settings.localArchive().identity();
  const problems: string[] = [];
  const audit = async ({ name, storedName, sizeBytes }: StoredFile): Promise<void> => {
    try {
      const content = await readStored(join(directory, storedName), splitCodec(storedName).codec, headBytes);
      const owner = checkWalFile(name, content.head, content.contentBytes);
      if (owner !== undefined && identity !== undefined) checkIdentity(identity, owner, directory);
      const recorded = await checksums.find(storedName);
      if (recorded === undefined) problems.push(`${storedName} has no checksum`);
      else if (recorded !== content.storedSha256) problems.push(`${storedName} does not match its checksum`);
    } catch (error) {
      problems.push(`${storedName}: ${error instanceof Error ? error.message : String(error)}`);
    }
    onFile(sizeBytes);
  };
  const waiting = [...files];
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await audit(file);
  };
  await Promise.all(Array.from({ length: settings.config.getInt("parallel_jobs") }, worker));
  return problems.sort();
}
