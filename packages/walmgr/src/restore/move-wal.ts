import { dirname, join } from "node:path";
import { copyTree, createSymlinkSync, removePath } from "@skytools/skytools";
import { makeDirectory, syncDirectory } from "../archive/durable-file.ts";
import { syncTree } from "../archive/sync-tree.ts";

/** Gives a data directory that is being put together its WAL directory elsewhere. What is in it is on the disk when this returns:
 * who brings the data directory there does not follow the link. */
export async function moveWal(data: string, walDirectory: string): Promise<void> {
  await makeDirectory(walDirectory);
  const inside = join(data, "pg_wal");
  await copyTree(inside, walDirectory, { recursive: true });
  await syncTree(walDirectory);
  await syncDirectory(dirname(walDirectory));
  await removePath(inside, { recursive: true });
  createSymlinkSync(walDirectory, inside);
}
