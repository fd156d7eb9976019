import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess, type ProcessIdentity } from "./process-identity.ts";
import { ownerFile, type RunOwner, runPrefix, writeOwner } from "./run-owner.ts";
import { isReachable, serverAccount } from "./server-account.ts";
import { sweepLeftovers } from "./sweep.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

interface Run {
  readonly path: string;
  readonly owner: ProcessIdentity;
  readonly watchdog: Watchdog;
  /** Called when this process exits in an orderly way: synchronous, must not throw. */
  readonly exitActions: Set<() => void>;
  isKept: boolean;
}

let run: Run | undefined;

/** Where run directories live: the system's temporary directory, unless socket paths would become too long there or the
 * servers' account cannot reach it. */
function runBase(): string {
  const base = tmpdir();
  return base.length <= 60 && isReachable(base, serverAccount()) ? base : "/tmp";
}

/** The directory that holds everything of this process: clusters, logs, temporary directories. Made at first use, when
 * leftovers of crashed runs are swept too; removed when the process exits without a failure. */
export function runDirectory(): string {
  return currentRun().path;
}

function currentRun(): Run {
  if (run !== undefined) return run;
  sweepLeftovers(runBase());
  const path = mkdtempSync(join(runBase(), runPrefix));
  const owner = identifyProcess(process.pid);
  writeOwner(path, owner);
  // Servers under another account must pass through, and nothing more.
  chmodSync(path, serverAccount().isOther ? 0o711 : 0o700);
  run = { path, owner, watchdog: startWatchdog(path), exitActions: new Set(), isKept: false };
  process.on("exit", onExit);
  return run;
}

/** Registers what must be done when this process exits; the result takes it back. */
export function onRunExit(action: () => void): () => void {
  const { exitActions } = currentRun();
  exitActions.add(action);
  return () => exitActions.delete(action);
}

/** Leaves everything as it is when this process ends: clusters and programs go on, no later run sweeps them. */
export function keepRunDirectory(): void {
  const kept = currentRun();
  kept.isKept = true;
  markKept(kept, "forever");
  kept.watchdog.release();
}

function markKept(kept: Run, keep: NonNullable<RunOwner["keep"]>): void {
  writeOwner(kept.path, { ...kept.owner, keep });
}

/** Exit codes of a process that its user interrupted (128 + SIGHUP, SIGINT, SIGTERM): no failure to look into. */
const interrupted = [129, 130, 143];

function onExit(code: number): void {
  if (run === undefined || run.isKept) return;
  for (const action of run.exitActions) action();
  const exitCode = code === 0 ? Number(process.exitCode ?? 0) : code;
  const isFailed = exitCode !== 0 && !interrupted.includes(exitCode);
  const logs = isFailed ? keepLogsOnly(run.path) : [];
  if (logs.length === 0) {
    removeTree(run.path);
    return;
  }
  markKept(run, "failed");
  process.stderr.write(`logs kept: ${logs.join(", ")}\n`);
}

/** Removes what is no log.
 * @returns the paths of the logs */
function keepLogsOnly(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    const logs = entry.isDirectory() && entry.name !== "data" ? keepLogsOnly(path) : [];
    if (entry.isFile() && entry.name.endsWith(".log")) return [path];
    if (logs.length === 0 && entry.name !== ownerFile) removeTree(path);
    return logs;
  });
}

/** What a process that is ending still writes there must not become this one's failure: a later run sweeps it. */
function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
  }
}
