import type { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";

/** Waits until a session waits for a lock.
 * @param db another session of the database
 * @param isOver asked too: what else ends this */
export async function waitForWaiting(
  db: Database,
  session: Database,
  isOver: () => boolean = () => false,
): Promise<void> {
  const sql = "select exists (select from pg_locks where pid = $1 and not granted) as waits";
  await waitFor("the session to wait for a lock", async () => {
    return isOver() || (await db.queryOne<{ waits: boolean }>(sql, [session.backendPid])).waits;
  });
}

/** Makes a session one that does not look for deadlocks: it is not the one that ends. */
export async function neverEnd(session: Database): Promise<void> {
  await session.execute("set deadlock_timeout = '1h'");
}
