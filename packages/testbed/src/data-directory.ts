import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chownSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { serverAccount, spawnIdentity } from "./server-account.ts";

/** A directory that the processes of one test run share, set by who starts them: data directories are made there once and
 * copied, which takes a tenth of initdb's time. */
const sharedDirectory = process.env.SKYTOOLS_TESTBED_SHARED;

/** Creates a data directory with superuser postgres, UTF8, C locale and trust authentication.
 * @param isCopyAllowed false: an initdb of its own, and so a system identifier that no other cluster has
 * @param initdbOptions further options of initdb, which takes an initdb of its own too
 * @throws Error with initdb's own output */
export function createDataDirectory(
  binDir: string,
  dataDirectory: string,
  isCopyAllowed: boolean,
  initdbOptions: readonly string[] = [],
): void {
  const isSpecial = !isCopyAllowed || initdbOptions.length > 0;
  if (sharedDirectory === undefined || isSpecial)
    initializeDataDirectory(binDir, dataDirectory, initdbOptions);
  else copyDirectory(sharedDataDirectory(binDir, sharedDirectory), dataDirectory);
}

/** Processes that need it at the same moment each make one; the first to rename its own wins. */
function sharedDataDirectory(binDir: string, shared: string): string {
  const name = `data-${createHash("sha256").update(binDir).digest("hex").slice(0, 12)}`;
  const path = join(shared, name);
  if (existsSync(path)) return path;
  const work = mkdtempSync(`${path}-`);
  try {
    handOver(work);
    initializeDataDirectory(binDir, join(work, "data"));
    renameSync(join(work, "data"), path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return path;
}

function initializeDataDirectory(
  binDir: string,
  dataDirectory: string,
  options: readonly string[] = [],
): void {
  const identity = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"];
  runAsServer(join(binDir, "initdb"), ["-D", dataDirectory, ...identity, "--no-sync", ...options]);
}

function copyDirectory(source: string, target: string): void {
  runAsServer("cp", ["-R", "-p", source, target]);
}

function runAsServer(program: string, args: readonly string[]): void {
  const run = spawnSync(program, args, { cwd: "/", encoding: "utf8", ...spawnIdentity(serverAccount()) });
  if (run.status === 0) return;
  throw new Error(`${program} ${args.join(" ")} failed: ${run.error?.message ?? run.stderr + run.stdout}`);
}

function handOver(dir: string): void {
  const account = serverAccount();
  if (account.isOther) chownSync(dir, account.uid, account.gid);
}
