import { setTimeout as sleep } from "node:timers/promises";
import { Database, DatabaseError, type Job, type Log, mergeConnectString } from "@skytools/skytools";
import type { Settings } from "../place/settings.ts";
import { WalError } from "../wal/wal-error.ts";
import { standbyConnstr } from "./replay-control.ts";

const pollMs = 200;
const hastenLimit = "10s";
const firstCheckpointTimeoutMs = 600_000;
const insufficientPrivilege = "42501";
/** From this release on pg_rewind takes the timeline from where the server's last WAL is. */
const goesByHistory = 160000;

/** A server that was promoted makes its first checkpoint at its own pace, over minutes: until then a crash costs a recovery from
 * before the promotion, and its control file names the former timeline. Where the role may, it is told to hurry; it goes on when we
 * do not wait any longer. */
export async function hastenFirstCheckpoint(job: Job, settings: Settings): Promise<void> {
  const connstr = standbyConnstr(settings);
  if (connstr === undefined) return;
  try {
    const database = await Database.open(connstr, { autocommit: true, connectTimeoutMs: 5000 });
    try {
      await database.query(`set statement_timeout = '${hastenLimit}'`);
      await database.query("checkpoint");
    } finally {
      await database.close();
    }
  } catch (error) {
    job.log.info(`The server makes its first checkpoint at its own pace: ${reasonOf(error)}`);
  }
}

/** pg_rewind before PostgreSQL 16 takes the timeline of the newest checkpoint for the one that a server is on: right after a promotion
 * it would find that there is nothing to rewind.
 * @param timeline that the server is on
 * @throws WalError when the checkpoint does not come */
export async function awaitFirstCheckpoint(conninfo: string, timeline: number, log: Log): Promise<void> {
  const connstr = mergeConnectString("dbname=postgres", conninfo);
  const database = await Database.open(connstr, { autocommit: true });
  try {
    if (
      (await database.queryValue<number>("select current_setting('server_version_num')::int4"))! >=
      goesByHistory
    )
      return;
    await database.query("set statement_timeout = 0");
    const isMade = async () =>
      Number(await database.queryValue("select timeline_id from pg_control_checkpoint()")) >= timeline;
    if (await isMade()) return;
    log.info(`${database.label} has made no checkpoint on timeline ${timeline} yet, which pg_rewind goes by`);
    await database.query("checkpoint").catch((error: unknown) => {
      if (!(error instanceof DatabaseError) || error.sqlState !== insufficientPrivilege) throw error;
      log.info(`Waiting for it: ${error.message}`);
    });
    const deadline = performance.now() + firstCheckpointTimeoutMs;
    while (!(await isMade())) {
      if (performance.now() > deadline) {
        throw new WalError(`${database.label} has made no checkpoint since it was promoted`, {
          hint: "Run CHECKPOINT there as a superuser, then rejoin again.",
        });
      }
      await sleep(pollMs);
    }
  } finally {
    await database.close();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
