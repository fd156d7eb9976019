import { join } from "node:path";
import { type LockHolder, ProcessLock } from "../place/process-lock.ts";
import { WalError } from "../wal/wal-error.ts";

/** One backup at a time: `logs.complete/BACKUPLOCK`.
 * Source: spec/walmgr.md 6.5 */
export class BackupLock extends ProcessLock {
  constructor(completedWals: string) {
    super(join(completedWals, "BACKUPLOCK"), { busy, isShared: true });
  }
}

function busy({ pid, host, since }: LockHolder, path: string): WalError {
  const who = host === undefined ? `process ${pid || "unknown"} of the primary` : `process ${pid} on ${host}`;
  const time = since === undefined ? "" : ` since ${since}`;
  return new WalError(`a backup is running: ${who} holds ${path}${time}`, {
    hint: "When that process is gone, walmgr xrelease removes the lock.",
  });
}
