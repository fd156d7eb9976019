import { constants } from "node:fs";
import { join } from "node:path";
import { crashPoint, openToWrite, removePath, renameFile } from "@skytools/skytools";
import { syncDirectory } from "../archive/durable-file.ts";
import type { Settings } from "../place/settings.ts";
import { errorCode, storageTrouble, WalError } from "../wal/wal-error.ts";
import { readWalHeader, walHeaderBytes } from "../wal/wal-header.ts";

const usualSegmentBytes = 16 << 20;
const largestSegmentBytes = 1 << 30;

export interface PartialPiece {
  /** of a segment, checked */
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly input: AsyncIterable<Buffer>;
}

/** Writes a piece of a begun segment, as the original walmgr ships it, and brings it to the disk.
 * @throws WalError when fewer bytes came than announced, or the disk refuses
 * Source: spec/walmgr.md 6.4 */
export async function shipPartial(
  settings: Settings,
  { name, offset, bytes, input }: PartialPiece,
): Promise<void> {
  const identity = await settings.localArchive().identity();
  const limit = identity?.segmentSize ?? largestSegmentBytes;
  if (offset + bytes > limit)
    throw new WalError(`${name}: ${offset + bytes} bytes are more than a segment has`);
  const path = join(settings.paths.partial, name);
  const isFresh = offset === 0;
  // What came before stays until there is more.
  const written = isFresh ? join(settings.paths.partial, `.${name}.tmp`) : path;
  const flags =
    constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | (isFresh ? constants.O_TRUNC : 0);
  try {
    const handle = await openToWrite(written, flags, 0o600);
    try {
      let at = offset;
      for await (const chunk of input) {
        if (at + chunk.length > offset + bytes) throw new WalError(`${name}: more bytes came than announced`);
        await handle.writeAt(chunk, at);
        at += chunk.length;
      }
      if (at !== offset + bytes) throw new WalError(`${name}: ${at - offset} of ${bytes} bytes came`);
      const head = Buffer.alloc(walHeaderBytes);
      await handle.read(head, 0);
      const size = readWalHeader(head)?.segmentSize ?? identity?.segmentSize ?? usualSegmentBytes;
      if ((await handle.stat()).size < size) await handle.truncate(size);
      await handle.sync();
    } finally {
      await handle.close();
    }
    crashPoint("sync.partial-written");
    if (isFresh) await renameFile(written, path);
    crashPoint("sync.partial-renamed");
    await syncDirectory(settings.paths.partial);
  } catch (error) {
    if (isFresh) await removePath(written, { force: true });
    if (error instanceof WalError) throw error;
    throw storageTrouble(`cannot write ${path} (${errorCode(error) ?? String(error)})`, error);
  }
}
