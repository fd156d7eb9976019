import { crashPoint, removePath, renameFile } from "@skytools/skytools";
import type { Archive, FetchOptions } from "./archive.ts";
import { openForWriting } from "./durable-file.ts";

/** Writes a file of the archive to a path of this host, which has it only when it is whole.
 * @returns false when the archive does not have it
 * @throws WalError as {@link Archive.read} */
export async function fetchFile(
  archive: Archive,
  name: string,
  destination: string,
  options: FetchOptions = {},
): Promise<boolean> {
  const draft = `${destination}.tmp`;
  try {
    const handle = await openForWriting(draft);
    try {
      if (!(await archive.read(name, options, (chunk) => handle.append(chunk)))) return false;
    } finally {
      await handle.close();
    }
    crashPoint("fetch.written");
    await renameFile(draft, destination);
    return true;
  } finally {
    await removePath(draft, { force: true });
  }
}

/** A small file of the archive as text; undefined: it is not there. @throws WalError */
export async function readText(archive: Archive, name: string): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  const isFound = await archive.read(name, {}, async (chunk) => {
    chunks.push(Buffer.from(chunk));
  });
  return isFound ? Buffer.concat(chunks).toString("utf8") : undefined;
}
