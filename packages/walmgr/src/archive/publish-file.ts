import { createHash, type Hash, randomBytes } from "node:crypto";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { crashPoint, linkFile, type OpenFile, openToWrite, removePath } from "@skytools/skytools";
import { errorCode, foreignFile } from "../wal/wal-error.ts";
import type { WalSource } from "./archive.ts";
import { type Codec, codecSuffix, compressor } from "./codec.ts";

/** A file of the archive that is written and on the disk, under a temporary name. */
export interface Draft {
  /** the name that it is for */
  readonly storedName: string;
  /** of the bytes as they were written */
  readonly storedSha256: string;
  /** of the source's bytes */
  readonly contentSha256: string;
  /** Gives it its final name by a hard link, which fails when the name is taken. The directory entry is made durable by the caller,
   * once for several files. */
  publish(): Promise<"new" | "exists">;
  /** Removes the temporary name. */
  discard(): Promise<void>;
}

const copyBuffer = Buffer.allocUnsafe(1 << 20);

/** Name of a file that is being written; nobody takes it for a stored one. */
export const draftName = /^\..+\.tmp$/;

/** Writes a file of the archive under a temporary name, to the disk.
 * @throws WalError exit code 44 when the source gave another number of bytes than it announced; the system's error */
export async function writeDraft(directory: string, source: WalSource, codec: Codec): Promise<Draft> {
  const storedName = source.name + codecSuffix(codec);
  const path = join(directory, `.${source.name}.${process.pid}-${randomBytes(3).toString("hex")}.tmp`);
  const discard = () => removePath(path, { force: true });
  crashPoint("archive.begin");
  const handle = await openToWrite(path, "wx", 0o600);
  try {
    const stored = createHash("sha256");
    const content = createHash("sha256");
    let bytes = 0;
    const readContent = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        content.update(chunk);
        yield chunk;
      }
    };
    const write = async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        if (codec !== "none") stored.update(chunk);
        await handle.append(chunk);
        chunkWritten();
      }
    };
    if (codec === "none" && source.path !== undefined) bytes = copyNow(source.path, handle, content);
    else if (codec === "none") await pipeline(source.open(), readContent, write);
    else await pipeline(source.open(), readContent, compressor(codec), write);
    if (bytes !== source.sizeBytes) throw changedMeanwhile(source, bytes);
    crashPoint("archive.written");
    await handle.sync();
    crashPoint("archive.synced");
    const contentSha256 = content.digest("hex");
    return {
      storedName,
      contentSha256,
      storedSha256: codec === "none" ? contentSha256 : stored.digest("hex"),
      publish: () => linkOnce(path, join(directory, storedName)),
      discard,
    };
  } catch (error) {
    await discard();
    throw error;
  } finally {
    await handle.close();
  }
}

/** The SHA-256 of a source's bytes.
 * @throws as {@link writeDraft} */
export async function hashSource(source: WalSource): Promise<string> {
  const content = createHash("sha256");
  let bytes = 0;
  for await (const chunk of source.open() as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    content.update(chunk);
  }
  if (bytes !== source.sizeBytes) throw changedMeanwhile(source, bytes);
  return content.digest("hex");
}

function changedMeanwhile({ name, sizeBytes }: WalSource, bytes: number): Error {
  return foreignFile(`${name} changed while it was read: ${bytes} of ${sizeBytes} bytes`);
}

function chunkWritten(): void {
  crashPoint("archive.chunk-written");
}

/** Without a stream's turns: a busy machine would make a whole segment wait at each. Only the sync is worth waiting for beside
 * other work.
 * @returns number of bytes */
function copyNow(path: string, target: OpenFile, content: Hash): number {
  const source = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    let bytes = 0;
    for (;;) {
      const length = readSync(source, copyBuffer, 0, copyBuffer.length, null);
      if (length === 0) return bytes;
      const chunk = copyBuffer.subarray(0, length);
      content.update(chunk);
      target.appendNow(chunk);
      bytes += length;
      chunkWritten();
    }
  } finally {
    closeSync(source);
  }
}

async function linkOnce(draft: string, path: string): Promise<"new" | "exists"> {
  try {
    await linkFile(draft, path);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    return "exists";
  }
  crashPoint("archive.published");
  return "new";
}
