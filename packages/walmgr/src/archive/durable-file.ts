import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { createDirectory, type OpenFile, openToWrite, removePath, renameFile } from "@skytools/skytools";

/** Nobody works on a draft for so long. Its process cannot be asked: it may be one of another host. */
export const oldDraftMs = 3600_000;

/** Makes the entries of a directory survive a power failure. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Name of what a process writes before it becomes a file of another name. In containers many processes have the same number. */
export function draftPath(path: string): string {
  return `${path}.${process.pid}-${randomBytes(3).toString("hex")}.tmp`;
}

/** Removes the drafts of a file that killed processes have left. What cannot be removed stays: nobody needs it gone. */
export async function removeOldDrafts(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  const isDraft = (name: string) =>
    name.startsWith(prefix) && /^\d+(?:-[0-9a-f]+)?\.tmp$/.test(name.slice(prefix.length));
  for (const name of (await readdir(dirname(path)).catch(() => [])).filter(isDraft)) {
    const draft = join(dirname(path), name);
    const found = await stat(draft).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > oldDraftMs)
      await removePath(draft, { force: true }).catch(() => undefined);
  }
}

/** Writes a whole small file so that readers see the old or the new content, never a part, also after a power failure.
 * @param mode permissions of a new file */
export async function replaceFile(path: string, content: string | Buffer, mode = 0o600): Promise<void> {
  const draft = draftPath(path);
  try {
    await removeOldDrafts(path);
    const handle = await openForWriting(draft, mode);
    try {
      await handle.append(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await renameFile(draft, path);
  } catch (error) {
    await removePath(draft, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Creates a directory with its parents, durably. */
export async function makeDirectory(path: string, mode = 0o700): Promise<void> {
  const first = await createDirectory(path, { recursive: true, mode });
  if (first === undefined) return;
  for (let dir = path; ; dir = dirname(dir)) {
    await syncDirectory(dirname(dir));
    if (dir === first || dir === dirname(dir)) return;
  }
}

/** Writes a small file of an archive in its place, or a draft beside one; a symbolic link under its name is not followed.
 * @throws the system's error, ELOOP for a link */
export function openForWriting(path: string, mode = 0o600): Promise<OpenFile> {
  return openToWrite(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
    mode,
  );
}

/** Opens a file for reading that must be a regular one: an archive's contents are not to be trusted, and a symbolic link in
 * it could point anywhere. @throws the system's error, ELOOP for a link */
export async function openRegular(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const stat = await handle.stat();
  if (stat.isFile()) return handle;
  await handle.close();
  throw Object.assign(new Error(`${path} is not a regular file`), { code: "EINVAL" });
}
