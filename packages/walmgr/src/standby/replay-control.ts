import { setTimeout as sleep } from "node:timers/promises";
import { Database, type Job } from "@skytools/skytools";
import type { ArchiveFlag } from "../archive/archive.ts";
import { localConnstr, runningServer } from "../place/server-directory.ts";
import type { Settings } from "../place/settings.ts";

/** Tells the standbys that read the archive, wherever that is. @throws WalError exit code 2 when it cannot be reached */
export async function setFlag(settings: Settings, flag: ArchiveFlag, isSet: boolean): Promise<void> {
  // An engine has no such files: then only the server itself is told.
  if (!settings.isEngineOwn) return;
  const archive = settings.openArchive();
  try {
    await archive.setFlag(flag, isSet);
  } finally {
    await archive.close();
  }
}

const pauseTimeoutMs = 30_000;

/** Stops or continues the replay of the standby on this host, where it runs and answers; the archive's own pause file counts
 * in any case.
 * @returns what the server says, undefined when there is none to ask
 * Source: spec/walmgr.md 5.8 */
export async function setReplay(
  job: Job,
  settings: Settings,
  isPaused: boolean,
): Promise<string | undefined> {
  const connstr = standbyConnstr(settings);
  if (connstr === undefined) return undefined;
  let database: Database | undefined;
  try {
    database = await Database.open(connstr, { autocommit: true, connectTimeoutMs: 5000 });
    if ((await database.queryValue<boolean>("select pg_is_in_recovery()")) !== true) return undefined;
    await database.query(isPaused ? "select pg_wal_replay_pause()" : "select pg_wal_replay_resume()");
    const wanted = isPaused ? "paused" : "not paused";
    const deadline = performance.now() + pauseTimeoutMs;
    for (;;) {
      const state = await database.queryValue<string>("select pg_get_wal_replay_pause_state()");
      if (state === wanted || performance.now() > deadline) return state;
      await sleep(100);
    }
  } catch (error) {
    job.log.warn(`the standby was not told: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  } finally {
    await database?.close();
  }
}

/** How to reach the standby of this host; undefined: there is none that runs. */
export function standbyConnstr(settings: Settings): string | undefined {
  if (settings.has("slave_db")) return settings.config.get("slave_db");
  if (!settings.has("slave_data")) return undefined;
  const server = runningServer(settings.path("slave_data"));
  return server === undefined ? undefined : localConnstr(server);
}
