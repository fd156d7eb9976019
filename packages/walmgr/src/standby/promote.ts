import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  crashPoint,
  Database,
  type Job,
  maskConnectString,
  removePath,
  writeNamedFile,
} from "@skytools/skytools";
import type { Archive } from "../archive/archive.ts";
import { engineOf } from "../engine/engine.ts";
import { runningServer } from "../place/server-directory.ts";
import type { Settings } from "../place/settings.ts";
import { readControlFile } from "../wal/control-file.ts";
import { WalError } from "../wal/wal-error.ts";
import { parseWalName, segmentName, segmentNumber, timelineOf } from "../wal/wal-name.ts";
import { checkReplayed, waitForReplay } from "./replay-end.ts";
import { accountOf, proveFetch, refuseOtherAccount } from "./server-account.ts";

const pollMs = 100;
/** A primary that is merely slow must not be taken for a dead one. */
const answerTimeoutMs = 15_000;

/** In the data directory while a boot is under way that may leave WAL: the call that finishes it must not miss that. */
const uncheckedFile = "walmgr_boot_unchecked";

export interface PromoteOptions {
  /** how long the replay of all WAL, and then the end of recovery, may take */
  readonly timeoutSeconds: number;
  /** whatever the server can read or has replayed */
  readonly isForced: boolean;
}

/** Ends the standby's recovery: it becomes a primary on a timeline of its own. The way is pg_ctl's: a file and a signal,
 * so no database connection is needed. Before, the server must be able to fetch the end of the archive, and, where it can be
 * asked, must have replayed it; afterwards what it did replay is checked.
 * @returns the new timeline
 * @throws WalError
 * Source: spec/walmgr.md 5.7, 7; PostgreSQL manual, "Failover" */
export async function promote(job: Job, settings: Settings, options: PromoteOptions): Promise<number> {
  const data = settings.path("slave_data");
  const server = runningServer(data);
  if (server === undefined)
    throw new WalError(`no server runs on ${data}`, { hint: "Start the standby first." });
  const deadline = () => performance.now() + options.timeoutSeconds * 1000;
  const isFollowing = existsSync(join(data, "standby.signal"));
  if (!isFollowing && !existsSync(join(data, "recovery.signal")))
    return finishInterrupted(settings, data, options.isForced, deadline());
  const account = accountOf(server, data);
  refuseOtherAccount(job, account);
  const engine = engineOf(settings);
  if (engine !== undefined) {
    engine.report();
    return endRecovery(job, data, server.pid, deadline());
  }
  // Where a recovery has a target, it is meant to leave WAL.
  const isChecked = isFollowing && !options.isForced;
  const archive = settings.openArchive();
  let isPaused = false;
  try {
    await noteUnchecked(data, !isChecked);
    try {
      isPaused = await archive.hasFlag("PAUSE");
      await archive.setFlag("STOP", true);
      // The server's account could fetch nothing with it.
      await archive.setFlag("PAUSE", false);
      crashPoint("boot.stop-set");
      // A new timeline's number is found by asking for histories: an archive that is away would let it be used twice.
      const last = await lastFiles(archive);
      if (!options.isForced) for (const name of last) await proveFetch(job, settings, account, data, name);
      if (isChecked) await waitForReplay(job, settings, archive, deadline());
    } catch (error) {
      await archive.setFlag("STOP", false).catch(() => undefined);
      if (!options.isForced) {
        if (isPaused) await archive.setFlag("PAUSE", true).catch(() => undefined);
        await noteUnchecked(data, false);
        throw error;
      }
      job.log.warn(`the server takes over with what it has, and its timeline may be taken: ${String(error)}`);
    }
    const timeline = await endRecovery(job, data, server.pid, deadline());
    crashPoint("boot.promoted");
    await archive
      .setFlag("STOP", false)
      .catch((error: unknown) => job.log.warn(`STOP stays in the archive: ${String(error)}`));
    await noteUnchecked(data, false);
    if (isChecked) await checkReplayed(archive, data, timeline);
    return timeline;
  } finally {
    await archive.close();
  }
}

async function noteUnchecked(data: string, isUnchecked: boolean): Promise<void> {
  const path = join(data, uncheckedFile);
  if (isUnchecked) await writeNamedFile(path, "");
  else await removePath(path, { force: true });
}

/** An earlier call ended after it had told the server: what it would have done after that is left.
 * @throws WalError when there was none: the server simply is no standby */
async function finishInterrupted(
  settings: Settings,
  data: string,
  isForced: boolean,
  until: number,
): Promise<number> {
  const noStandby = new WalError(`the server on ${data} is not a standby`);
  if (!settings.isEngineOwn) throw noStandby;
  const archive = settings.openArchive();
  try {
    if (!(await archive.hasFlag("STOP"))) throw noStandby;
    for (; readControlFile(data).isInRecovery; await sleep(pollMs)) {
      if (runningServer(data) === undefined) throw endedMeanwhile(data);
      if (performance.now() > until) throw notInTime();
    }
    const timeline = newestTimeline(data);
    const isChecked = !isForced && !existsSync(join(data, uncheckedFile));
    await archive.setFlag("STOP", false);
    await noteUnchecked(data, false);
    if (isChecked) await checkReplayed(archive, data, timeline);
    return timeline;
  } finally {
    await archive.close();
  }
}

/** A primary's own timeline: its control file tells only after the next checkpoint. */
function newestTimeline(data: string): number {
  const histories = readdirSync(join(data, "pg_wal")).filter(
    (name) => parseWalName(name)?.kind === "history",
  );
  return Math.max(1, ...histories.map(timelineOf));
}

/** The end of the archive: the newest finished segment, and the begun one after it, where there is one.
 * @throws WalError when it cannot be read by us either */
async function lastFiles(archive: Archive): Promise<string[]> {
  const finished = (await archive.list())
    .filter((file) => parseWalName(file.name)?.kind === "segment")
    .at(-1);
  const identity = await archive.identity();
  if (finished === undefined || identity === undefined) return [];
  const { name } = finished;
  const number = segmentNumber(name, identity.segmentSize);
  const begun = segmentName(timelineOf(name), number + 1n, identity.segmentSize);
  const isBegun = await archive.read(begun, { acceptsPartial: true }, async () => undefined);
  return isBegun ? [name, begun] : [name];
}

/** @returns the new timeline as soon as the server takes writes: its first checkpoint may be spread over minutes */
async function endRecovery(job: Job, data: string, pid: number, until: number): Promise<number> {
  const signals = ["standby.signal", "recovery.signal"].filter((name) => existsSync(join(data, name)));
  await writeNamedFile(join(data, "promote"), "");
  process.kill(pid, "SIGUSR1");
  crashPoint("boot.signalled");
  // Of two it goes by the first, and that is the one which it removes, while it still recovers.
  const followed = join(data, signals[0] ?? "standby.signal");
  while (existsSync(followed) || !readControlFile(data).isInProduction) {
    if (runningServer(data) === undefined) throw endedMeanwhile(data);
    if (performance.now() > until) throw notInTime();
    await sleep(pollMs);
  }
  for (const name of signals.slice(1)) {
    job.log.warn(`${name} is removed from ${data}: the next start of the server would have been a recovery`);
    await removePath(join(data, name), { force: true });
  }
  return newestTimeline(data);
}

function endedMeanwhile(data: string): WalError {
  return new WalError(`the server on ${data} ended while it was promoted`);
}

function notInTime(): WalError {
  return new WalError(
    "the standby was told to become a primary, and has not within the time that --wait gives",
    {
      hint: "Look at the server's log. STOP stays in the archive, so that the server may take the segment that was being written.",
    },
  );
}

/** Whether the old primary still takes connections: two primaries must not be. */
export async function primaryAnswers(job: Job, settings: Settings): Promise<boolean> {
  if (!settings.has("primary_conninfo")) return false;
  const connstr = settings.config.get("primary_conninfo");
  try {
    const database = await Database.open(connstr, { connectTimeoutMs: answerTimeoutMs, autocommit: true });
    const isStandby = await database.queryValue<boolean>("select pg_is_in_recovery()");
    await database.close();
    return isStandby === false;
  } catch (error) {
    job.log.debug(`${maskConnectString(connstr)}: ${String(error)}`);
    return error instanceof Error && "sqlState" in error && error.sqlState !== undefined;
  }
}
