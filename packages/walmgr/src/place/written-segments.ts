import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { localSource } from "../archive/local-source.ts";
import { errorCode } from "../wal/wal-error.ts";
import { readWalHeader } from "../wal/wal-header.ts";
import { parseWalName, segmentStart } from "../wal/wal-name.ts";

/** The segments of a server's pg_wal, sorted, that hold the WAL of their names, at their beginning at least. Recycled ones, which
 * carry the name of WAL that is not written yet, are told by the position in their header. */
export async function writtenSegments(walDirectory: string): Promise<string[]> {
  const names = (await readdir(walDirectory)).filter((name) => parseWalName(name)?.kind === "segment");
  const written: string[] = [];
  for (const name of names.sort()) if (await isWritten(walDirectory, name)) written.push(name);
  return written;
}

async function isWritten(walDirectory: string, name: string): Promise<boolean> {
  try {
    const header = readWalHeader((await localSource(name, join(walDirectory, name))).head);
    return header !== undefined && header.pageAddress === segmentStart(name, header.segmentSize);
  } catch (error) {
    // A running server has removed it since, or given it another name.
    if (error instanceof Error && errorCode(error.cause) === "ENOENT") return false;
    throw error;
  }
}
