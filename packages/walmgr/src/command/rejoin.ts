import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Command,
  crashPoint,
  type Job,
  maskConnectString,
  ReplicationConnection,
  removePath,
  UsageError,
} from "@skytools/skytools";
import { isOnlyTold } from "../place/dry-run.ts";
import { runningServer } from "../place/server-directory.ts";
import { askServer } from "../place/server-facts.ts";
import { type Settings, settingsFor } from "../place/settings.ts";
import { writeAutoConf } from "../restore/server-settings.ts";
import { writeSignalFile } from "../restore/signal-file.ts";
import { cloneServer } from "../standby/clone.ts";
import { awaitFirstCheckpoint } from "../standby/first-checkpoint.ts";
import { withStandbySlot } from "../standby/replication-slot.ts";
import { rewind } from "../standby/rewind.ts";
import { refuseRewinding } from "../standby/rewinding-process.ts";
import { hasServerProgram, startServer } from "../standby/server-control.ts";
import { fetchingSettings, ownArchiving, standbySlotName } from "../standby/standby-settings.ts";
import { setStartGuard, startGuard } from "../standby/start-guard.ts";
import { readControlFile } from "../wal/control-file.ts";
import { WalError } from "../wal/wal-error.ts";

/** Source: spec/walmgr.md 7, 12.1 */
export const rejoinCommand: Command = {
  name: "rejoin",
  args: "[CONNINFO]",
  summary: "make the old primary a standby of the new one, by pg_rewind or a new copy",
  pidfile: "none",
  switches: [
    { flags: "--clone", doc: "copy the new primary instead of rewinding; the old directory is set aside" },
    { flags: "--no-start", doc: "leave the server stopped" },
  ],
  run: rejoin,
};

async function rejoin(job: Job): Promise<void> {
  const settings = settingsFor(job);
  const data = settings.dataDirectory();
  const conninfo = job.args[0] ?? settings.config.find("primary_conninfo");
  if (conninfo === undefined || conninfo === "") {
    throw new UsageError("rejoin needs the new primary: give its connect string, or set primary_conninfo");
  }
  if (runningServer(data) !== undefined)
    throw new WalError(`a server runs on ${data}`, { hint: "Stop it first." });
  refuseRewinding(data);
  const isClone = job.flag("clone") || !existsSync(join(data, "global", "pg_control"));
  const timeline = await checkPrimary(conninfo, data, isClone);
  if (!isClone && !hasServerProgram(settings, "pg_rewind")) {
    throw new WalError("pg_rewind was not found", {
      hint: "Set master_bin or slave_bin to the directory it is in, or use --clone.",
    });
  }
  const way = isClone ? `copy ${maskConnectString(conninfo)}, set ${data} aside` : `pg_rewind ${data}`;
  if (isOnlyTold(job, way, "write the standby's settings and standby.signal", "start the server")) return;
  await turnIntoStandby(job, settings, { data, conninfo, timeline, isClone });
  job.log.info(`${data} is a standby of ${maskConnectString(conninfo)} now`);
  if (!job.flag("noStart")) startServer(job, settings, data);
}

/** @returns the primary's timeline
 * @throws WalError when that is no primary of the same cluster on a later timeline */
async function checkPrimary(conninfo: string, data: string, isClone: boolean): Promise<number> {
  const connection = await ReplicationConnection.open(conninfo);
  try {
    const facts = await askServer(connection);
    if (isClone) return facts.timeline;
    const control = readControlFile(data);
    if (facts.systemIdentifier !== control.systemIdentifier) {
      throw new WalError(
        `${connection.label} is of system ${facts.systemIdentifier}, ${data} of ${control.systemIdentifier}`,
      );
    }
    if (facts.timeline < control.timeline) {
      throw new WalError(
        `${connection.label} is on timeline ${facts.timeline}, ${data} on the later ${control.timeline}`,
      );
    }
    return facts.timeline;
  } finally {
    connection.close();
  }
}

/** The slot first: from then on the new primary keeps what this one will need. */
async function turnIntoStandby(
  job: Job,
  settings: Settings,
  {
    data,
    conninfo,
    timeline,
    isClone,
  }: {
    readonly data: string;
    readonly conninfo: string;
    readonly timeline: number;
    readonly isClone: boolean;
  },
): Promise<void> {
  await withStandbySlot(conninfo, standbySlotName(settings), job.log, async (slot) => {
    const serverSettings = new Map([
      ...fetchingSettings(settings),
      ["recovery_target_timeline", "latest"],
      ["primary_conninfo", conninfo],
      ...(slot === undefined ? [] : ([["primary_slot_name", slot]] as const)),
      ...ownArchiving(settings),
    ]);
    if (isClone) {
      await cloneServer(job, conninfo, data, serverSettings);
      return;
    }
    if (!isUnstartedStandby(data, timeline)) {
      if (startGuard(data) !== "rewound") await awaitFirstCheckpoint(conninfo, timeline, job.log);
      await rewind(settings, data, conninfo, job.log);
    }
    await removePath(join(data, "recovery.signal"), { force: true });
    await writeAutoConf(data, serverSettings);
    await writeSignalFile(data, "standby.signal");
    crashPoint("rejoin.signal-written");
    await setStartGuard(data, "none");
    crashPoint("rejoin.start-allowed");
  });
}

/** An earlier call has made it one, and it has not shut down since: there is nothing to rewind, it goes on by replaying. On the former
 * timeline it is another standby, which may have come farther than the new primary. */
function isUnstartedStandby(data: string, timeline: number): boolean {
  const control = readControlFile(data);
  if (startGuard(data) !== "none" || control.isShutDown || control.timeline !== timeline) return false;
  return control.isInRecovery && existsSync(join(data, "standby.signal"));
}
