import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const marker = ".walmgr_restoring";

/** Marks tablespace directories as part of a data directory that is being put together: what an interrupted restore left in them
 * is in nobody's way then. The mark counts only together with the unfinished data directory.
 * @param fresh the unfinished data directory */
export function markRestoring(fresh: string, directories: Iterable<string>): void {
  const token = `${process.pid} ${new Date().toISOString()} ${performance.now()}`;
  for (const directory of [fresh, ...directories]) writeFileSync(join(directory, marker), token);
}

/** Whether all that is in a directory was left by an interrupted restore of this data directory. */
export function isLeftOver(fresh: string, directory: string): boolean {
  const [wanted, found] = [fresh, directory].map((each) => {
    const path = join(each, marker);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  });
  return wanted !== undefined && wanted === found;
}

/** Empties a directory, but not itself: its place is the administrator's. */
export function emptyDirectory(directory: string): void {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
}

/** After the data directory has its place. */
export function unmarkRestoring(directories: Iterable<string>): void {
  for (const directory of directories) rmSync(join(directory, marker), { force: true });
}
