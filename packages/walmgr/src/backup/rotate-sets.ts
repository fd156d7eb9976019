import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { crashPoint, removeEmptyDirectory, removePath, renameFile } from "@skytools/skytools";
import { syncDirectory } from "../archive/durable-file.ts";
import { WalError } from "../wal/wal-error.ts";
import { newSetPath, readSetInfo, suffixOf } from "./set-info.ts";

/** Makes room for a newest set: `data.master` becomes `.0`, and so on; numbers come out dense. Interrupted anywhere, every
 * set is still there under some number.
 * Source: spec/walmgr.md 5.15, 12.4 */
export async function makeRoom(fullBackup: string): Promise<void> {
  const root = dirname(fullBackup);
  const base = basename(fullBackup);
  const numbered = (await readdir(root))
    .filter((name) => name === base || (name.startsWith(`${base}.`) && suffixOf(name) >= 0))
    .sort((a, b) => suffixOf(a) - suffixOf(b));
  const isSet = (name: string) => existsSync(join(root, name, "backup.json")) || isOriginal(join(root, name));
  const sets = numbered.filter(isSet);
  if (numbered.includes(base) && !sets.includes(base)) await removeEmpty(fullBackup);
  const moves = sets.map((name, index) => ({ from: name, to: `${base}.${index}` }));
  for (const { from, to } of moves.toReversed()) {
    if (from === to) continue;
    if (existsSync(join(root, to))) {
      // Numbers with gaps move down one after the other, from the newest.
      await closeGaps(root, base, sets);
      return makeRoom(fullBackup);
    }
    await renameFile(join(root, from), join(root, to));
    crashPoint("rotate.renamed");
  }
  await syncDirectory(root);
}

/** The original's setup makes the directory. @throws WalError when something else is in it */
async function removeEmpty(path: string): Promise<void> {
  try {
    await removeEmptyDirectory(path);
  } catch (cause) {
    throw new WalError(`${path} is in the way: it is not a backup set, and not empty`, {
      cause,
      hint: "Look at it, and move it away.",
    });
  }
}

function isOriginal(path: string): boolean {
  return ["backup_label", "backup_label.old"].some((name) => existsSync(join(path, name)));
}

/** `.0`, `.1`, ... without gaps, the newest name free or not. */
async function closeGaps(root: string, base: string, sets: readonly string[]): Promise<void> {
  const numbered = sets.filter((name) => name !== base);
  for (const [index, from] of numbered.entries()) {
    const to = `${base}.${index}`;
    if (from !== to && !existsSync(join(root, to))) await renameFile(join(root, from), join(root, to));
  }
}

/** Gives a finished set the newest name. */
export async function publishSet(fullBackup: string): Promise<void> {
  await makeRoom(fullBackup);
  crashPoint("rotate.room-made");
  await renameFile(newSetPath(fullBackup), fullBackup);
  await syncDirectory(dirname(fullBackup));
}

/** After a crash: a set that was finished but has no name of its own yet gets it; an unfinished one goes.
 * @returns what was done, for the log */
export async function settleNewSet(fullBackup: string): Promise<string | undefined> {
  const path = newSetPath(fullBackup);
  if (!existsSync(path)) return undefined;
  if ((await readSetInfo(path)) === undefined) {
    await removePath(path, { recursive: true, force: true });
    return `removed ${path}, which an interrupted backup left`;
  }
  await publishSet(fullBackup);
  return `${path} was finished by an interrupted backup: it is the newest set now`;
}
