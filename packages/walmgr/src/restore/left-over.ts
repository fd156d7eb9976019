import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { removePathSync, writeNamedFileSync } from "@skytools/skytools";
import { WalError } from "../wal/wal-error.ts";

const marker = ".walmgr_restoring";

/** Beside the unfinished data directory, not in it: a backup could hold a file of that name. */
function markOf(fresh: string): string {
  return `${fresh}.mark`;
}

/** Marks tablespace directories, and a WAL directory, as part of a data directory that is being put together: what an interrupted
 * restore left in them is in nobody's way then.
 * @param fresh the unfinished data directory */
export function markRestoring(fresh: string, directories: Iterable<string>): void {
  const token = `${process.pid} ${new Date().toISOString()} ${performance.now()}`;
  for (const path of [markOf(fresh), ...[...directories].map((each) => join(each, marker))])
    writeNamedFileSync(path, token, { flag: "wx", mode: 0o600 });
}

/** Whether all that is in a directory was left by an interrupted restore of this data directory. Once that has its place, and is
 * no unfinished one any more, its tablespaces are in use. */
export function isLeftOver(fresh: string, directory: string): boolean {
  const [wanted, found] = [markOf(fresh), join(directory, marker)].map((path) =>
    existsSync(path) ? readFileSync(path, "utf8") : undefined,
  );
  if (!existsSync(fresh) || wanted === undefined || found === undefined) return false;
  // Who died while it wrote the mark had put nothing else there.
  return wanted === found || (wanted.startsWith(found) && readdirSync(directory).length === 1);
}

/** @param hint what the administrator can do
 * @param what the directory is
 * @throws WalError when there is something in a directory that no interrupted restore left there */
export function refuseOccupied(
  fresh: string,
  directory: string,
  hint: string,
  what: "tablespace" | "WAL" = "tablespace",
): void {
  if (!existsSync(directory) || readdirSync(directory).length === 0 || isLeftOver(fresh, directory)) return;
  throw new WalError(`${what} directory ${directory} is not empty`, { hint });
}

/** Empties a directory, the mark last, but not itself: its place is the administrator's. */
export function emptyDirectory(directory: string): void {
  for (const name of readdirSync(directory))
    if (name !== marker) removePathSync(join(directory, name), { recursive: true });
  removePathSync(join(directory, marker), { force: true });
}

/** After the data directory has its place, and before another one is begun. */
export function unmarkRestoring(fresh: string, directories: Iterable<string>): void {
  removePathSync(markOf(fresh), { force: true });
  for (const directory of directories) removePathSync(join(directory, marker), { force: true });
}
