import { symlinkSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDirectory, syncDirectory } from "../archive/durable-file.ts";
import { syncTree } from "../archive/sync-tree.ts";

/** Gives a data directory that is being put together its WAL directory elsewhere. What is in it is on the disk when this returns:
 * who brings the data directory there does not follow the link. */
export async function moveWal(data: string, walDirectory: string): Promise<void> {
  await makeDirectory(walDirectory);
  const inside = join(data, "pg_wal");
  await cp(inside, walDirectory, { recursive: true });
  await syncTree(walDirectory);
  await syncDirectory(dirname(walDirectory));
  await rm(inside, { recursive: true });
  symlinkSync(walDirectory, inside);
}
