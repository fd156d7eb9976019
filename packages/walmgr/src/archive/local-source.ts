import { createReadStream } from "node:fs";
import { errorCode, storageTrouble } from "../wal/wal-error.ts";
import type { WalSource } from "./archive.ts";
import { openRegular } from "./durable-file.ts";
import { headBytes } from "./wal-check.ts";

const chunkBytes = 1 << 20;

/** A file of this host as something to archive.
 * @throws WalError exit code 2 when it cannot be read: a file that vanished was not archived */
export async function localSource(name: string, path: string): Promise<WalSource> {
  try {
    const handle = await openRegular(path);
    try {
      const { size } = await handle.stat();
      const head = Buffer.alloc(Math.min(size, headBytes));
      await handle.read(head, 0, head.length, 0);
      return {
        name,
        sizeBytes: size,
        head,
        path,
        open: () => createReadStream(path, { highWaterMark: chunkBytes }),
      };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw storageTrouble(`cannot read ${path} (${errorCode(error) ?? String(error)})`, error);
  }
}
