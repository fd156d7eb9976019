import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { linkFile, removePath } from "@skytools/skytools";
import { errorCode, foreignFile, storageTrouble } from "../wal/wal-error.ts";
import { openForWriting, syncDirectory } from "./durable-file.ts";

/** Whose WAL an archive holds; written once, by the first segment or by setup. */
export interface ArchiveIdentity {
  readonly systemIdentifier: string;
  readonly segmentSize: number;
}

const fileName = "archive.json";

/** @returns undefined for an archive that has no owner yet
 * @throws WalError when the file cannot be read */
export async function readIdentity(directory: string): Promise<ArchiveIdentity | undefined> {
  const path = join(directory, fileName);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw storageTrouble(`cannot read ${path} (${errorCode(error)})`, error);
  }
  const identity = parseIdentity(text);
  if (identity === undefined)
    throw storageTrouble(`${path} is damaged: it must name systemIdentifier and segmentSize`);
  return identity;
}

function parseIdentity(text: string): ArchiveIdentity | undefined {
  try {
    const { systemIdentifier, segmentSize } = JSON.parse(text) as Partial<ArchiveIdentity>;
    const isGood = typeof systemIdentifier === "string" && typeof segmentSize === "number";
    return isGood ? { systemIdentifier, segmentSize } : undefined;
  } catch {
    return undefined;
  }
}

/** Gives an archive to a cluster, or checks that it is this cluster's.
 * @throws WalError, exit code 44, when it is another's */
export async function claimIdentity(directory: string, identity: ArchiveIdentity): Promise<void> {
  const present = (await readIdentity(directory)) ?? (await writeIdentity(directory, identity));
  checkIdentity(present, identity, directory);
}

/** @throws WalError, exit code 44 */
export function checkIdentity(present: ArchiveIdentity, wanted: ArchiveIdentity, place: string): void {
  if (present.systemIdentifier !== wanted.systemIdentifier) {
    throw foreignFile(
      `archive ${place} belongs to the cluster with system identifier ${present.systemIdentifier}, ` +
        `not to ${wanted.systemIdentifier}`,
      "Give every cluster an archive of its own (walmgr_data); a cluster made by initdb or pg_upgrade is a new one.",
    );
  }
  if (present.segmentSize !== wanted.segmentSize) {
    throw foreignFile(
      `archive ${place} has segments of ${present.segmentSize} bytes, the cluster of ${wanted.segmentSize}`,
    );
  }
}

/** @returns the identity that is in the archive now: another process may have been first */
async function writeIdentity(directory: string, identity: ArchiveIdentity): Promise<ArchiveIdentity> {
  const path = join(directory, fileName);
  const draft = join(directory, `.${fileName}.${process.pid}-${randomBytes(3).toString("hex")}.tmp`);
  const handle = await openForWriting(draft).catch((error: unknown) => {
    const hint = errorCode(error) === "ENOENT" ? "walmgr setup creates it." : undefined;
    throw storageTrouble(`archive ${directory} cannot be written (${errorCode(error)})`, error, hint);
  });
  try {
    await handle.append(`${JSON.stringify(identity)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await linkFile(draft, path);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  } finally {
    await removePath(draft, { force: true });
  }
  await syncDirectory(directory);
  return (await readIdentity(directory)) ?? identity;
}
