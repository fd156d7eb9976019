import { existsSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { crashPoint, type Job } from "@skytools/skytools";
import type { WalSource } from "../archive/archive.ts";
import { replaceFile } from "../archive/durable-file.ts";
import { localSource } from "../archive/local-source.ts";
import type { Settings } from "../place/settings.ts";
import { foreignFile } from "../wal/wal-error.ts";
import { parseWalName } from "../wal/wal-name.ts";
import { ArchiveStatus } from "./archive-status.ts";

/** What one call of the archive command did. */
export interface ArchivedFiles {
  /** the file that was asked for was there already, with the same content */
  readonly isRepeat: boolean;
  /** files stored, with those that the server would have offered next */
  readonly count: number;
  readonly bytes: number;
}

/** Stores a finished WAL file, and the next ones that wait, so that a busy server does not start a program for each.
 * @param path as the server gives it, relative to the data directory
 * @throws WalError with the exit code for the server
 * Source: spec/walmgr.md 6.1, 12.2 */
export async function archiveFile(
  job: Job,
  settings: Settings,
  path: string,
  name: string,
): Promise<ArchivedFiles> {
  if (parseWalName(name) === undefined) {
    throw foreignFile(`"${name.slice(0, 80)}" is not the name of a WAL file`);
  }
  refuseOtherServer(settings);
  const full = isAbsolute(path) ? path : join(settings.dataDirectory(), path);
  const walDirectory = dirname(full);
  const status = new ArchiveStatus(walDirectory);
  const waiting = await status.waiting();
  await status.forgetAnswered(waiting);
  const sources = [await localSource(name, full)];
  if (waiting.includes(name)) {
    const ahead = waiting
      .filter((other) => other !== name)
      .slice(0, settings.config.getInt("archive_ahead") - 1);
    sources.push(...(await aheadSources(walDirectory, ahead)));
  }
  const archive = settings.openArchive();
  try {
    const { stored, failure } = await archive.store(sources);
    const own = stored.find((each) => each.name === name);
    if (own === undefined) throw failure ?? new Error(`${name} was not stored`);
    crashPoint("xarchive.stored");
    for (const each of stored) if (each.name !== name) await status.mark(each.name);
    if (failure !== undefined) job.log.warn(`stored ${stored.length} files, then: ${failure.message}`);
    await rememberLast(job, settings, stored.at(-1)!.name);
    const names = new Set(stored.map((each) => each.name));
    const bytes = sources
      .filter((each) => names.has(each.name))
      .reduce((sum, each) => sum + each.sizeBytes, 0);
    return { isRepeat: !own.isNew, count: stored.length, bytes };
  } finally {
    await archive.close();
  }
}

/** A server calls from within its data directory. When that is not the one of the configuration, a copy of the server uses the
 * file of the original: the path would lead to the original's WAL, and the copy would take its own for archived.
 * @throws WalError exit code 44 */
function refuseOtherServer(settings: Settings): void {
  const here = process.cwd();
  const own = settings.dataDirectory();
  if (!existsSync(join(here, "global", "pg_control")) || isSameDirectory(here, own)) return;
  throw foreignFile(
    `the server runs in ${here}, ${settings.config.file} is for the one in ${own}`,
    "A copy of a server needs a file of its own, with an archive of its own.",
  );
}

function isSameDirectory(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

/** Files that can be read now; a later call meets the trouble with the others. */
async function aheadSources(walDirectory: string, names: readonly string[]): Promise<WalSource[]> {
  const sources: WalSource[] = [];
  for (const name of names) {
    try {
      sources.push(await localSource(name, join(walDirectory, name)));
    } catch {
      break;
    }
  }
  return sources;
}

/** For `sync`, and for people. The archive itself tells what it has. */
async function rememberLast(job: Job, settings: Settings, name: string): Promise<void> {
  try {
    await replaceFile(join(settings.dataDirectory(), ".walshipping.last"), name);
  } catch (error) {
    job.log.warn(`cannot write .walshipping.last: ${error instanceof Error ? error.message : String(error)}`);
  }
}
