import type { Database } from "@skytools/skytools";

/** Commits wait for the disk, whatever database or role have been set to: what has been reported as done, to a
 * person or to another server, is still done after the server has crashed. */
export const durableCommits =
  "select set_config('synchronous_commit', 'local', false) where current_setting('synchronous_commit') = 'off'";

/** For a session that has just been opened. */
export async function commitDurably(db: Database): Promise<void> {
  await db.execute(durableCommits);
  await db.commit();
}
