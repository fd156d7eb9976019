import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Job } from "@skytools/skytools";
import { createDirectory, removePath, renameFile } from "@skytools/skytools";
import type { Archive } from "../archive/archive.ts";
import { openForWriting } from "../archive/durable-file.ts";
import { aheadDirectory } from "../place/own-command.ts";
import type { Settings } from "../place/settings.ts";
import { errorCode } from "../wal/wal-error.ts";
import { parseWalName, segmentName, segmentNumber, timelineOf } from "../wal/wal-name.ts";

/** Puts the segments that follow one into a directory in which `restore_command` looks first: a server that has much to replay
 * need not start a program for each. Trouble is nobody's concern here: whoever asks for the segment meets it.
 * @param destination of the segment that was asked for; ahead is only fetched for a server */
export async function fetchAhead(
  job: Job,
  settings: Settings,
  archive: Archive,
  name: string,
  destination: string,
): Promise<void> {
  const count = settings.config.getInt("restore_ahead");
  if (count === 0 || basename(destination) !== "RECOVERYXLOG" || parseWalName(name)?.kind !== "segment")
    return;
  const directory = join(dirname(destination), basename(aheadDirectory));
  try {
    const identity = await archive.identity();
    if (identity === undefined) return;
    const following = namesAfter(name, count, identity.segmentSize);
    const present = await settle(directory, following);
    const missing = following.filter((each) => !present.has(each));
    const worker = async (): Promise<void> => {
      for (let next = missing.shift(); next !== undefined; next = missing.shift()) {
        // Where one is missing, nothing after it will be asked for.
        if (!(await fetchWhole(archive, next, join(directory, next)))) missing.length = 0;
      }
    };
    // One connection to another host serves one file at a time.
    const workers = settings.remote === undefined ? settings.config.getInt("parallel_jobs") : 1;
    await Promise.all(Array.from({ length: workers }, worker));
    // Told to pause meanwhile.
    if (await archive.hasFlag("PAUSE")) await removePath(directory, { recursive: true, force: true });
  } catch (error) {
    job.log.debug(`nothing is fetched ahead: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Removes what was fetched ahead: a server that is to pause would still replay it.
 * @param dataDirectory of the server */
export async function dropAhead(dataDirectory: string): Promise<void> {
  await removePath(join(dataDirectory, aheadDirectory), { recursive: true, force: true });
}

function namesAfter(name: string, count: number, segmentSize: number): string[] {
  const number = segmentNumber(name, segmentSize);
  return Array.from({ length: count }, (_unused, index) =>
    segmentName(timelineOf(name), number + BigInt(index + 1), segmentSize),
  );
}

/** Removes what will not be asked for any more.
 * @returns what is there of the wanted files */
async function settle(directory: string, wanted: readonly string[]): Promise<Set<string>> {
  await createDirectory(directory, { mode: 0o700 }).catch((error: unknown) => {
    if (errorCode(error) !== "EEXIST") throw error;
  });
  const present = new Set<string>();
  for (const name of await readdir(directory)) {
    if (wanted.includes(name)) present.add(name);
    else await removePath(join(directory, name), { force: true });
  }
  return present;
}

/** The file has its name only when it is on the disk: the server may find it after a power failure, and trusts it. */
async function fetchWhole(archive: Archive, name: string, path: string): Promise<boolean> {
  const draft = `${path}.tmp`;
  const handle = await openForWriting(draft);
  try {
    if (!(await archive.read(name, {}, (chunk) => handle.append(chunk)))) return false;
    await handle.datasync();
    await renameFile(draft, path);
    return true;
  } finally {
    await handle.close();
    await removePath(draft, { force: true });
  }
}
