import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { type Codec, decompressor } from "./codec.ts";
import { openRegular } from "./durable-file.ts";

/** What a stored file holds. */
export interface StoredContent {
  /** of the bytes as they lie there */
  readonly storedSha256: string;
  /** of the bytes after decompression */
  readonly contentSha256: string;
  readonly contentBytes: number;
  readonly head: Buffer;
}

/** Reads a stored file to its end, through decompression.
 * @param sink takes the content, when it is wanted
 * @throws the system's error; the codec's when the file is damaged */
export async function readStored(
  path: string,
  codec: Codec,
  headBytes: number,
  sink?: (chunk: Buffer) => Promise<void>,
): Promise<StoredContent> {
  const stored = createHash("sha256");
  const content = createHash("sha256");
  const head: Buffer[] = [];
  let headLength = 0;
  let contentBytes = 0;
  const take = async (chunk: Buffer) => {
    contentBytes += chunk.length;
    if (codec !== "none") content.update(chunk);
    if (headLength < headBytes) {
      const piece = Buffer.from(chunk.subarray(0, headBytes - headLength));
      head.push(piece);
      headLength += piece.length;
    }
    await sink?.(chunk);
  };
  const handle = await openRegular(path);
  const source = handle.createReadStream({ highWaterMark: 1 << 20 });
  const hashed = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      stored.update(chunk);
      yield chunk;
    }
  };
  const drain = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) await take(chunk);
  };
  if (codec === "none") await pipeline(source, hashed, drain);
  else await pipeline(source, hashed, decompressor(codec), drain);
  const storedSha256 = stored.digest("hex");
  return {
    storedSha256,
    contentSha256: codec === "none" ? storedSha256 : content.digest("hex"),
    contentBytes,
    head: Buffer.concat(head),
  };
}
