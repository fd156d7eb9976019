import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Database, DatabaseError, type Job } from "@skytools/skytools";
import type { Archive } from "../archive/archive.ts";
import { hasWalFrom, type LaterSegment, laterSegment } from "../archive/later-wal.ts";
import type { Settings } from "../place/settings.ts";
import { writtenSegments } from "../place/written-segments.ts";
import { formatLsn, parseLsn } from "../wal/lsn.ts";
import { parseHistory } from "../wal/timeline-history.ts";
import { WalError } from "../wal/wal-error.ts";
import { historyName, timelineOf } from "../wal/wal-name.ts";
import { followedHistory } from "./followed-timeline.ts";
import { standbyConnstr } from "./replay-control.ts";

const pollMs = 500;

/** Waits until a standby has replayed everything that the archive has. A server that is told to take over replays on until its
 * `restore_command` fails for the first time, whatever the reason; it says nothing about what it left.
 * @param until as performance.now() counts
 * @throws WalError when it does not get there */
export async function waitForReplay(
  job: Job,
  settings: Settings,
  archive: Archive,
  until: number,
): Promise<void> {
  const data = settings.path("slave_data");
  const segmentSize = (await archive.identity())?.segmentSize;
  const database = await openStandby(job, settings);
  if (database === undefined || segmentSize === undefined) return;
  let isPaused = false;
  try {
    const wanted =
      (await database.queryValue<string>("select current_setting('recovery_target_timeline')")) ?? "latest";
    const delay = await database.queryValue<string>("select current_setting('recovery_min_apply_delay')");
    if (delay !== "0") {
      await refuseGap(database, archive, data, wanted, segmentSize);
      return;
    }
    isPaused = await resumeReplay(database);
    let later: LaterSegment | undefined;
    let looked: string | undefined;
    for (let before: string | undefined; ; await sleep(pollMs)) {
      const lsn = await database.queryValue<string>("select pg_last_wal_replay_lsn()::text");
      if (lsn === undefined) return;
      // A look reads segments: at first, and then where the replay stands still.
      if (before === undefined || (lsn === before && lsn !== looked)) {
        looked = lsn;
        const position = parseLsn(lsn);
        const history = await followedHistory(archive, data, wanted);
        later = await laterSegment(archive, history, position, segmentSize);
        if (later === undefined && !(await isBefore(archive, position, segmentSize))) return;
      }
      if (before === undefined) job.log.info(`Replayed up to ${lsn}; the archive has more, waiting for it`);
      before = lsn;
      if (performance.now() > until) throw notReplayed(lsn, later);
    }
  } catch (error) {
    if (isPaused) await database.query("select pg_wal_replay_pause()").catch(() => undefined);
    throw error;
  } finally {
    await database.close();
  }
}

/** The promotion ends a delay by itself, and what is left is replayed then: as far as there is no gap.
 * @throws WalError where a segment is missing that the server does not have itself, from the stream */
async function refuseGap(
  database: Database,
  archive: Archive,
  data: string,
  wanted: string,
  segmentSize: number,
): Promise<void> {
  const lsn = await database.queryValue<string>("select pg_last_wal_replay_lsn()::text");
  if (lsn === undefined) return;
  const history = await followedHistory(archive, data, wanted);
  const own = await writtenSegments(join(data, "pg_wal"));
  const later = await laterSegment(archive, history, parseLsn(lsn), segmentSize, own);
  if (later?.missing !== undefined) throw notReplayed(lsn, later);
}

/** @returns whether it was paused */
async function resumeReplay(database: Database): Promise<boolean> {
  try {
    const isPaused = await database.queryValue<boolean>("select pg_is_wal_replay_paused()");
    await database.query("select pg_wal_replay_resume()");
    return isPaused === true;
  } catch (error) {
    // An earlier call told it to take over already.
    if (error instanceof DatabaseError && error.sqlState === "55000") return false;
    throw error;
  }
}

function notReplayed(lsn: string, later: LaterSegment | undefined): WalError {
  if (later?.missing === undefined) {
    return new WalError(`the standby does not replay beyond ${lsn}, although the archive has more`, {
      hint: "Look at the server's log for what its restore_command says. boot --force takes over without it.",
    });
  }
  return new WalError(
    `the standby does not replay beyond ${lsn}, although the archive has more: ${gapText(later)}`,
    {
      hint:
        `The old primary's pg_wal may still have ${later.missing}: walmgr sync there brings it. ` +
        "boot --force takes over without it and all that follows.",
    },
  );
}

function gapText({ name, missing }: LaterSegment): string {
  return `${missing} is missing, and ${name} is there`;
}

async function openStandby(job: Job, settings: Settings): Promise<Database | undefined> {
  const connstr = standbyConnstr(settings);
  if (connstr === undefined) return undefined;
  try {
    return await Database.open(connstr, { autocommit: true, connectTimeoutMs: 5000 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    job.log.warn(`how far the standby has replayed is only known after it took over: ${reason}`);
    return undefined;
  }
}

/** Whether the archive goes on at a position. The newest timeline that has WAL of that position is the one that is followed. */
async function isBefore(archive: Archive, lsn: bigint, segmentSize: number): Promise<boolean> {
  const timelines = new Set((await archive.list()).map((file) => timelineOf(file.name)));
  for (const timeline of [...timelines].sort((a, b) => b - a)) {
    if (await hasWalFrom(archive, timeline, lsn, segmentSize)) return true;
  }
  return false;
}

/** Where a server left its former timeline, by the history that it wrote itself.
 * @throws WalError when the archive has WAL from there on: it took over without it */
export async function checkReplayed(
  archive: Archive,
  dataDirectory: string,
  timeline: number,
): Promise<void> {
  if (timeline === 1) return;
  const text = readFileSync(join(dataDirectory, "pg_wal", historyName(timeline)), "utf8");
  const left = parseHistory(timeline, text).ancestors.at(-1);
  const segmentSize = (await archive.identity())?.segmentSize;
  if (left === undefined || segmentSize === undefined) return;
  const former = { timeline: left.timeline, ancestors: [] };
  const later = await laterSegment(archive, former, left.leftAt, segmentSize);
  if (later === undefined && !(await hasWalFrom(archive, left.timeline, left.leftAt, segmentSize))) return;
  throw new WalError(
    `the server took over at ${formatLsn(left.leftAt)} (timeline ${timeline}) without the WAL that the archive has ` +
      `of timeline ${left.timeline} from there on: changes are missing` +
      (later?.missing === undefined ? "" : ` (${gapText(later)})`),
    {
      hint:
        "Keep applications away and stop it; its log tells why restore_command failed. Restore again, " +
        `with --timeline=${left.timeline}, and boot.`,
    },
  );
}
