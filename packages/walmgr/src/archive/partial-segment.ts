import { stat } from "node:fs/promises";
import { join } from "node:path";
import { checkSegment, walHeaderBytes } from "../wal/wal-header.ts";
import { type ArchiveIdentity, checkIdentity } from "./archive-identity.ts";
import { openRegular } from "./durable-file.ts";

/** The newest begun copy of a segment that is fit for recovery: `<name>` as record shipping leaves it or `<name>.partial`
 * as receivers and promoted servers do, of full size, with the header of this cluster.
 * @param directories where to look
 * Source: spec/walmgr.md 12.3 */
export async function findPartial(
  directories: readonly string[],
  segment: string,
  owner: ArchiveIdentity | undefined,
): Promise<string | undefined> {
  const candidates = directories.flatMap((dir) => [join(dir, `${segment}.partial`), join(dir, segment)]);
  let best: { path: string; modifiedMs: number } | undefined;
  for (const path of candidates) {
    if (!(await isWholePartial(path, segment, owner))) continue;
    const { mtimeMs } = await stat(path);
    if (best === undefined || mtimeMs > best.modifiedMs) best = { path, modifiedMs: mtimeMs };
  }
  return best?.path;
}

async function isWholePartial(
  path: string,
  segment: string,
  owner: ArchiveIdentity | undefined,
): Promise<boolean> {
  try {
    const handle = await openRegular(path);
    try {
      const head = Buffer.alloc(walHeaderBytes);
      await handle.read(head, 0, head.length, 0);
      const header = checkSegment(segment, head, (await handle.stat()).size);
      if (owner !== undefined) checkIdentity(owner, header, path);
      return true;
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}
