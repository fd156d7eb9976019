import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { isReachable, serverAccount } from "./server-account.ts";

/** A copy of the npm package's binaries with its library links in place, readable for everybody, made once for a version
 * and shared by all runs: for a checkout that the servers' account cannot enter, or whose install script did not run.
 * @param native the package's directory with bin, lib and share
 * @param links paths relative to the package's root
 * @returns the copy's directory */
export function runtimeCopy(
  native: string,
  version: string,
  links: readonly { readonly source: string; readonly target: string }[],
): string {
  const base = isReachable(tmpdir(), serverAccount()) ? tmpdir() : "/tmp";
  const copy = join(base, `skytools-postgres-${version}-${process.arch}-${process.getuid?.()}`);
  if (isComplete(copy)) return copy;
  const work = mkdtempSync(`${copy}-`);
  try {
    const fresh = join(work, basename(copy));
    cpSync(native, fresh, { recursive: true, filter: (source) => !/\.a$|\/pkgconfig$/.test(source) });
    for (const link of links) {
      const target = join(fresh, relative("native", link.target));
      rmSync(target, { force: true });
      symlinkSync(relative(dirname(link.target), link.source), target);
    }
    openToAll(fresh);
    writeFileSync(join(fresh, completeFile), String(countFiles(fresh)));
    publish(fresh, copy, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return copy;
}

const completeFile = "complete";

/** Another process may publish at the same moment: the first one wins, the other's work is thrown away. */
function publish(fresh: string, copy: string, work: string): void {
  if (existsSync(copy) && !isComplete(copy)) renameSync(copy, join(work, "broken"));
  try {
    renameSync(fresh, copy);
  } catch (error) {
    if (!isComplete(copy)) throw error;
  }
}

/** Cleaners of temporary directories remove single old files, so the number of files is compared. */
function isComplete(copy: string): boolean {
  const stat = lstatSync(copy, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o022) !== 0) {
    throw new Error(`${copy} is not a directory that only this user can write to`);
  }
  const file = join(copy, completeFile);
  return existsSync(file) && Number(readFileSync(file, "utf8")) === countFiles(copy);
}

function countFiles(dir: string): number {
  return readdirSync(dir, { recursive: true }).filter((name) => name !== completeFile).length;
}

function openToAll(dir: string): void {
  chmodSync(dir, 0o755);
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    const path = join(dir, name);
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) continue;
    chmodSync(path, stat.isDirectory() || (statSync(path).mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}
