import { setTimeout as sleep } from "node:timers/promises";
import { type Database, DatabaseError } from "@skytools/skytools";

/** Below the usual deadlock_timeout, after which the server ends one of those who wait for each other. */
const politeMs = 500;
/** Who could not be had politely in that time is waited for. */
const longestPoliteMs = 10_000;

/** SQLSTATEs lock_not_available and deadlock_detected */
const isInUse = new Set(["55P03", "40P01"]);

/** Runs the transaction of a command that changes tables, which programs, and people, use in whatever order. Who has what we
 * want may want what we have: then we are undone and begin anew, before the server ends somebody else for it.
 * @param longestMs how long to wait for a lock; infinity: no limit
 * @param body the whole transaction with its commit; called again after a rollback
 * @throws DatabaseError when the tables are in use for longer */
export async function lettingOthersThrough<T>(
  db: Database,
  longestMs: number,
  body: () => Promise<T>,
): Promise<T> {
  const begin = performance.now();
  const politeUntil = begin + Math.min(longestPoliteMs, longestMs / 2);
  for (;;) {
    const isPolite = performance.now() < politeUntil;
    const timeoutMs = isPolite ? Math.min(politeMs, longestMs) : begin + longestMs - performance.now();
    await setLockTimeout(db, timeoutMs);
    try {
      return await body();
    } catch (error) {
      if (!isPolite || db.isBroken || !isAboutLocks(error)) throw error;
      await db.rollback();
    }
    await sleep(50 + Math.random() * 100);
  }
}

/** For the open transaction.
 * @param ms infinity: no limit */
export async function setLockTimeout(db: Database, ms: number): Promise<void> {
  const value = Number.isFinite(ms) ? Math.max(1, Math.round(ms)) : 0;
  await db.query("select set_config('lock_timeout', $1, true)", [String(value)]);
}

/** Also when somebody has said more about it. */
function isAboutLocks(error: unknown): boolean {
  if (error instanceof DatabaseError) return isInUse.has(error.sqlState ?? "");
  return error instanceof Error && isAboutLocks(error.cause);
}
