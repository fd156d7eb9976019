import { type Command, type Job, maskConnectString } from "@skytools/skytools";
import { takeBackup } from "../backup/take-backup.ts";
import { isOnlyTold } from "../place/dry-run.ts";
import { type Settings, settingsFor } from "../place/settings.ts";
import { planRestore } from "../restore/restore-plan.ts";
import { restoreSet } from "../restore/restore-set.ts";
import { createDirectories } from "../setup/archive-directories.ts";
import { withStandbySlot } from "../standby/replication-slot.ts";
import { startServer, stopServer } from "../standby/server-control.ts";
import { ownArchiving, recoverySettings, standbySlotName } from "../standby/standby-settings.ts";

/** Source: spec/walmgr.md 5.6 */
export const createslaveCommand: Command = {
  name: "createslave",
  args: "",
  summary: "make a streaming standby: a slot on the primary, a backup of it, a server that follows",
  pidfile: "none",
  switches: [{ flags: "--no-start", doc: "leave the server stopped" }],
  run: createSlave,
};

async function createSlave(job: Job): Promise<void> {
  const settings = settingsFor(job, "standby");
  const conninfo = settings.need("primary_conninfo");
  const dataDirectory = settings.path("slave_data");
  const slotName = standbySlotName(settings);
  const steps = [
    `make slot ${slotName} on ${maskConnectString(conninfo)}`,
    `take a backup of it into ${settings.paths.fullBackup}`,
    `restore it to ${dataDirectory} as a standby`,
  ];
  if (isOnlyTold(job, ...steps)) return;
  if (settings.remote === undefined) await createDirectories(settings);
  // Before the backup: from here on the primary keeps what the standby needs.
  await withStandbySlot(conninfo, slotName, job.log, (slot) =>
    makeStandby(job, settings, dataDirectory, slot),
  );
  if (!job.flag("noStart")) startServer(job, settings, dataDirectory);
}

async function makeStandby(
  job: Job,
  settings: Settings,
  dataDirectory: string,
  slot: string | undefined,
): Promise<void> {
  await takeBackup(job, settings, { isIncremental: false });
  const recovery = new Map([["recovery_target_timeline", "latest"]]);
  const stopsServer = settings.has("slave_stop_cmd");
  const sets = settings.openSets();
  try {
    const plan = await planRestore(settings, {
      setName: undefined,
      dataDirectory,
      target: { settings: recovery, text: undefined, lsn: undefined, timeline: "latest" },
      tablespaceMoves: [],
      stopsServer,
      sets,
    });
    if (stopsServer) await stopServer(job, settings, dataDirectory);
    await restoreSet(job, plan, {
      serverSettings: new Map([...recoverySettings(settings, recovery, slot), ...ownArchiving(settings)]),
      signalFile: "standby.signal",
      walDirectory: settings.config.getFile("slave_pg_xlog"),
      deletesOld: !settings.config.getBoolean("backup_datadir"),
      sets,
    });
  } finally {
    sets.close();
  }
}
