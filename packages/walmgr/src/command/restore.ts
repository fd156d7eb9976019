import { existsSync, lstatSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import {
  type Command,
  createDirectorySync,
  formatBytes,
  type Job,
  printJson,
  UsageError,
  writeAtomically,
} from "@skytools/skytools";
import type { SetStore } from "../backup/set-store.ts";
import { type Engine, engineOf } from "../engine/engine.ts";
import { restoreWithEngine } from "../engine/engine-restore.ts";
import { isDryRun, isOnlyTold } from "../place/dry-run.ts";
import { runningServer } from "../place/server-directory.ts";
import { type Settings, settingsFor } from "../place/settings.ts";
import { type RecoveryTarget, recoveryTarget, targetSwitches } from "../restore/recovery-target.ts";
import { planRestore, type RestorePlan, refuseRunning } from "../restore/restore-plan.ts";
import { restoreSet } from "../restore/restore-set.ts";
import type { ServerSettings } from "../restore/server-settings.ts";
import { withStandbySlot } from "../standby/replication-slot.ts";
import { startServer, stopServer } from "../standby/server-control.ts";
import { noArchiving, ownArchiving, recoverySettings, standbySlotName } from "../standby/standby-settings.ts";

/** Source: spec/walmgr.md 5.5 */
export const restoreCommand: Command = {
  name: "restore",
  args: "[SET] [DIRECTORY]",
  summary: "make a data directory out of a backup set and the archive, as a standby or up to a point in time",
  pidfile: "none",
  switches: [
    {
      flags: "--set-name <name>",
      doc: "the backup set, by name or id. Default, as with latest: the newest that fits",
    },
    { flags: "--standby", doc: "the server follows the archive and the primary (default without a target)" },
    { flags: "--recover", doc: "the server recovers as far as the archive goes, then goes on alone" },
    ...targetSwitches,
    { flags: "--tablespace <old=new>", doc: "another place for a tablespace", repeatable: true },
    { flags: "--no-start", doc: "leave the server stopped" },
  ],
  run: restore,
};

async function restore(job: Job): Promise<number> {
  const settings = settingsFor(job);
  const [setOperand, directory] = job.args;
  const named = job.option("setName") ?? setOperand;
  const setName = named === "latest" ? undefined : named;
  const target = recoveryTarget(job);
  if (job.flag("standby") && (target.text !== undefined || job.flag("recover"))) {
    throw new UsageError("--standby goes with neither a recovery target nor --recover");
  }
  if (settings.role === "primary" && directory === undefined) {
    throw new UsageError("on the primary restore needs the set and the directory it goes to");
  }
  if (directory !== undefined && !isAbsolute(directory))
    throw new UsageError(`"${directory}" must be an absolute path`);
  const dataDirectory = directory === undefined ? settings.dataDirectory() : resolve(directory);
  const wanted = { setName, dataDirectory, target, isCopy: directory !== undefined };
  const engine = engineOf(settings);
  if (engine !== undefined) {
    await restoreByEngine(job, settings, engine, wanted);
    return 0;
  }
  const sets = settings.openSets();
  try {
    await restoreOwn(job, settings, sets, {
      setName,
      dataDirectory,
      target,
      isCopy: directory !== undefined,
    });
  } finally {
    sets.close();
  }
  return 0;
}

interface Wanted {
  readonly setName: string | undefined;
  readonly dataDirectory: string;
  readonly target: RecoveryTarget;
  /** to another place than the server's own */
  readonly isCopy: boolean;
}

async function restoreByEngine(job: Job, settings: Settings, engine: Engine, wanted: Wanted): Promise<void> {
  const { dataDirectory, target, isCopy } = wanted;
  const isStandby = staysStandby(job, wanted);
  const restore = {
    dataDirectory,
    set: wanted.setName,
    target,
    isStandby,
    tablespaceMoves: job.optionList("tablespace"),
  };
  const stopsServer = !isCopy && settings.has("slave_stop_cmd");
  const starts = !isCopy && !job.flag("noStart");
  refuseRunning(dataDirectory, stopsServer);
  const words = engine.commands.restore(restore).join(" ");
  if (isOnlyTold(job, words, "write the recovery settings", ...(starts ? ["start the server"] : []))) return;
  const deletesOld = !isCopy && !settings.config.getBoolean("backup_datadir");
  await withServerSettings(job, settings, wanted, async (serverSettings) => {
    if (stopsServer) await stopServer(job, settings, dataDirectory);
    await restoreWithEngine(job, engine, { ...restore, serverSettings, deletesOld });
  });
  job.log.info(`Restored by ${engine.name} to ${dataDirectory}`);
  if (job.json) printJson(job.stdout, { engine: engine.name, dataDirectory });
  if (starts) startServer(job, settings, dataDirectory);
}

/** Whether the restored server follows, instead of going on alone. */
function staysStandby(job: Job, { isCopy, target }: Wanted): boolean {
  return !isCopy && target.text === undefined && !job.flag("recover");
}

/** @param place makes the data directory, with the settings that its server gets */
async function withServerSettings(
  job: Job,
  settings: Settings,
  wanted: Wanted,
  place: (serverSettings: ServerSettings) => Promise<void>,
): Promise<void> {
  const archiving = wanted.isCopy || settings.role === "primary" ? noArchiving : ownArchiving(settings);
  const placeWith = (slot: string | undefined) =>
    place(new Map([...recoverySettings(settings, wanted.target.settings, slot), ...archiving]));
  if (!staysStandby(job, wanted) || !settings.has("primary_conninfo")) {
    await placeWith(undefined);
    return;
  }
  const conninfo = settings.config.get("primary_conninfo");
  await withStandbySlot(conninfo, standbySlotName(settings), job.log, placeWith);
}

async function restoreOwn(job: Job, settings: Settings, sets: SetStore, wanted: Wanted): Promise<void> {
  const { dataDirectory, isCopy } = wanted;
  const isStandby = staysStandby(job, wanted);
  const stopsServer = !isCopy && settings.has("slave_stop_cmd");
  const tablespaceMoves = job.optionList("tablespace");
  const plan = await planRestore(settings, { ...wanted, tablespaceMoves, stopsServer, sets });
  const starts = !isCopy && !job.flag("noStart");
  const signalFile = isStandby ? "standby.signal" : "recovery.signal";
  if (isDryRun(job)) {
    const stops = stopsServer && runningServer(dataDirectory) !== undefined;
    for (const step of describe(plan, signalFile, starts, stops)) job.stdout.write(`${step}\n`);
    return;
  }
  await withServerSettings(job, settings, wanted, async (serverSettings) => {
    if (stopsServer) await stopServer(job, settings, dataDirectory);
    await restoreSet(job, plan, {
      serverSettings,
      signalFile,
      walDirectory: isCopy ? "" : settings.config.getFile("slave_pg_xlog"),
      deletesOld: !isCopy && !settings.config.getBoolean("backup_datadir"),
      sets,
    });
  });
  if (!isCopy) restoreConfig(job, settings, dataDirectory, plan);
  const { name, info } = plan.chain.at(-1)!;
  job.log.info(`Restored ${name} to ${dataDirectory}`);
  if (job.json) printJson(job.stdout, { set: info, dataDirectory, setAside: plan.setAside ?? null });
  if (starts) startServer(job, settings, dataDirectory);
}

function describe(plan: RestorePlan, signalFile: string, starts: boolean, stops: boolean): string[] {
  const size = plan.chain.reduce((sum, set) => sum + set.info.sizeBytes, 0);
  return [
    ...(stops ? ["stop the server"] : []),
    `unpack ${plan.chain.map((set) => set.name).join(" and ")} (${formatBytes(size)}) beside ${plan.dataDirectory}`,
    ...[...plan.tablespaces].map(([oid, place]) => `put tablespace ${oid} into ${place}`),
    `write the recovery settings and ${signalFile}`,
    ...(plan.setAside === undefined ? [] : [`move ${plan.dataDirectory} to ${plan.setAside}`]),
    `move the new data directory to ${plan.dataDirectory}`,
    ...(starts ? ["start the server"] : []),
  ];
}

/** Configuration files where they are missing: from the archive, else from the old data directory. */
function restoreConfig(job: Job, settings: Settings, dataDirectory: string, plan: RestorePlan): void {
  const names = ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"];
  const elsewhere = settings.config.getFile("slave_config_dir");
  const backup = settings.remote === undefined ? settings.paths.configBackup : "";
  for (const name of names) {
    if (elsewhere !== "" && backup !== "") {
      createDirectorySync(elsewhere, { recursive: true });
      // Whoever writes into the archive must not choose another file of ours.
      if (isRegular(join(backup, name))) copyMissing(job, join(backup, name), join(elsewhere, name));
    }
    if (plan.setAside !== undefined) copyMissing(job, join(plan.setAside, name), join(dataDirectory, name));
  }
}

function isRegular(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** A link under the name, wherever it leads, is something that is there. */
function copyMissing(job: Job, from: string, to: string): void {
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined || !existsSync(from)) return;
  writeAtomically(to, readFileSync(from), { mode: statSync(from).mode & 0o777 });
  job.log.info(`Copied ${from} to ${to}`);
}
