import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isRunning } from "./process-identity.ts";
import { kill } from "./process-mark.ts";
import { readOwner, runPrefix } from "./run-owner.ts";
import { SharedMemory } from "./shared-memory.ts";

const dayMs = 24 * 3600 * 1000;

/** Ends the servers and removes the directories of runs whose process is gone. Directories of other users, of running
 * processes, kept ones, and logs of failures of the last day stay. Safe to run in several processes at once. */
export function sweepLeftovers(base: string): void {
  for (const name of readdirSync(base)) {
    if (!name.startsWith(runPrefix)) continue;
    const path = join(base, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || stat.uid !== process.getuid?.()) continue;
    if (isLeftover(path, Date.now() - stat.mtimeMs)) removeRun(path);
  }
}

function isLeftover(path: string, ageMs: number): boolean {
  const owner = readOwner(path);
  // Without a record it is being made just now, or its process died at that very moment.
  if (owner === undefined) return ageMs > dayMs;
  if (isRunning(owner) || owner.keep === "forever") return false;
  return owner.keep === undefined || ageMs > dayMs;
}

function removeRun(path: string): void {
  try {
    for (const name of readdirSync(path)) killPostmaster(join(path, name, "data"));
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  } catch (error) {
    // Another process sweeps the same directory: whoever is second finds less than it expected.
    if (!["ENOENT", "ENOTEMPTY"].includes(String((error as NodeJS.ErrnoException).code))) throw error;
  }
}

/** Kills the server of a data directory; a postmaster is recognised by its working directory, not by its number alone. */
function killPostmaster(dataDirectory: string): void {
  let pid: number;
  try {
    pid = Number.parseInt(readFileSync(join(dataDirectory, "postmaster.pid"), "utf8"), 10);
    if (readlinkSync(`/proc/${pid}/cwd`) !== dataDirectory) return;
  } catch {
    // No such file or process: nothing runs there. Without /proc the server ends by itself when its lock file is gone.
    return;
  }
  const memory = SharedMemory.of(pid, dataDirectory);
  kill(pid);
  memory.remove();
}
