import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Database, type Job, maskConnectString } from "@skytools/skytools";
import { engineOf } from "../engine/engine.ts";
import { runningServer } from "../place/server-directory.ts";
import type { Settings } from "../place/settings.ts";
import { readControlFile } from "../wal/control-file.ts";
import { WalError } from "../wal/wal-error.ts";

/** Ends the standby's recovery: it becomes a primary on a timeline of its own. The way is pg_ctl's: a file and a signal,
 * so no database connection is needed.
 * @returns the new timeline
 * @throws WalError
 * Source: spec/walmgr.md 5.7, 7; PostgreSQL manual, "Failover" */
export async function promote(settings: Settings, timeoutSeconds: number): Promise<number> {
  const data = settings.path("slave_data");
  const server = runningServer(data);
  if (server === undefined)
    throw new WalError(`no server runs on ${data}`, { hint: "Start the standby first." });
  if (!existsSync(join(data, "standby.signal")) && !existsSync(join(data, "recovery.signal"))) {
    throw new WalError(`the server on ${data} is not a standby`);
  }
  const engine = engineOf(settings);
  if (engine !== undefined) {
    engine.report();
    return endRecovery(data, server.pid, timeoutSeconds);
  }
  const archive = settings.openArchive();
  try {
    // A new timeline's number is found by asking for histories: an archive that is away would let it be used twice.
    await archive.list();
    await archive.setFlag("STOP", true);
    await archive.setFlag("PAUSE", false);
    const timeline = await endRecovery(data, server.pid, timeoutSeconds);
    await archive.setFlag("STOP", false);
    return timeline;
  } finally {
    await archive.close();
  }
}

async function endRecovery(data: string, pid: number, timeoutSeconds: number): Promise<number> {
  const before = readControlFile(data).timeline;
  await writeFile(join(data, "promote"), "");
  process.kill(pid, "SIGUSR1");
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const control = readControlFile(data);
    if (!control.isInRecovery && control.timeline > before && !existsSync(join(data, "standby.signal"))) {
      return control.timeline;
    }
    if (runningServer(data) === undefined)
      throw new WalError(`the server on ${data} ended while it was promoted`);
    if (performance.now() > deadline) {
      throw new WalError(`the standby was told to become a primary, and has not after ${timeoutSeconds} s`, {
        hint: "Look at the server's log. STOP stays in the archive, so that the server may take the segment that was being written.",
      });
    }
    await sleep(100);
  }
}

/** Whether the old primary still takes connections: two primaries must not be. */
export async function primaryAnswers(job: Job, settings: Settings): Promise<boolean> {
  if (!settings.has("primary_conninfo")) return false;
  const connstr = settings.config.get("primary_conninfo");
  try {
    const database = await Database.open(connstr, { connectTimeoutMs: 3000, autocommit: true });
    const isStandby = await database.queryValue<boolean>("select pg_is_in_recovery()");
    await database.close();
    return isStandby === false;
  } catch (error) {
    job.log.debug(`${maskConnectString(connstr)}: ${String(error)}`);
    return error instanceof Error && "sqlState" in error && error.sqlState !== undefined;
  }
}
