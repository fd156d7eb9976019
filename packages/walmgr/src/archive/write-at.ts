import type { FileHandle } from "node:fs/promises";

/** Writes all bytes at a position of a file. A single write may take a part of them without an error, on a disk that is just
 * full for example; it is the next one that fails.
 * @throws the system's error */
export async function writeAt(handle: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await handle.write(data, at, data.length - at, position + at);
    at += bytesWritten;
  }
}
