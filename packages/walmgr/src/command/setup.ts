import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, crashPoint, Database, type Job, ReplicationConnection } from "@skytools/skytools";
import { claimIdentity } from "../archive/archive-identity.ts";
import { engineOf } from "../engine/engine.ts";
import { isDryRun } from "../place/dry-run.ts";
import { askServer } from "../place/server-facts.ts";
import { type Settings, settingsFor } from "../place/settings.ts";
import { runOnSlave } from "../remote/run-on-slave.ts";
import { createDirectories, missingDirectories } from "../setup/archive-directories.ts";
import {
  applyChanges,
  archivingChanges,
  rememberFormer,
  type SettingChange,
} from "../setup/server-archiving.ts";
import { archivingCommand } from "../standby/standby-settings.ts";
import { WalError } from "../wal/wal-error.ts";

const proofTimeoutMs = 120_000;

/** Source: spec/walmgr.md 5.1 */
export const setupCommand: Command = {
  name: "setup",
  args: "",
  summary: "make the archive's directories; on the primary let the server archive, and prove that it does",
  pidfile: "none",
  switches: [{ flags: "--no-proof", doc: "do not wait for a segment to be archived" }],
  run: async (job) => {
    const settings = settingsFor(job);
    if (settings.role === "primary") return setupPrimary(job, settings);
    return settings.remote === undefined
      ? setupArchive(job, settings)
      : runOnSlave(job, settings.remote, ["setup"]);
  },
};

async function setupArchive(job: Job, settings: Settings): Promise<number> {
  if (isDryRun(job)) {
    for (const path of missingDirectories(settings)) job.stdout.write(`create ${path}\n`);
    return 0;
  }
  await createDirectories(settings);
  job.log.info(`The archive is ready: ${settings.paths.completed}`);
  return 0;
}

/** The archive first: a server that archives into nowhere keeps all its WAL. */
async function setupPrimary(job: Job, settings: Settings): Promise<number> {
  const database = await Database.open(settings.need("master_db"), { autocommit: true });
  try {
    const command = archivingCommand(settings);
    const changes = await archivingChanges(database, command);
    if (isDryRun(job)) for (const line of changes.map(describe)) job.stdout.write(`${line}\n`);
    const engine = engineOf(settings);
    const engineSetup = engine?.commands.setup();
    if (engine !== undefined && engineSetup !== undefined) {
      if (isDryRun(job)) job.stdout.write(`${engineSetup.join(" ")}\n`);
      else if (engine.run(engineSetup) !== 0)
        throw new WalError(`${engineSetup.join(" ")} failed: nothing was changed here`);
    }
    if (engine === undefined) {
      const code =
        settings.remote === undefined
          ? await setupArchive(job, settings)
          : await runOnSlave(job, settings.remote, ["setup"]);
      if (code !== 0)
        throw new WalError(`setup failed on ${settings.remote?.host}: nothing was changed here`);
    }
    if (isDryRun(job)) return 0;
    await claimArchive(settings);
    await rememberFormer(settings.dataDirectory(), changes);
    await applyChanges(database, changes);
    for (const change of changes) job.log.info(describe(change));
    if (!(await restartIfNeeded(job, settings, changes))) return 0;
  } finally {
    await database.close();
  }
  if (!job.flag("noProof")) await prove(job, settings);
  return 0;
}

function describe({ name, from, to, needsRestart }: SettingChange): string {
  return `set ${name} = '${to}' (was '${from}')${needsRestart ? ", needs a restart" : ""}`;
}

async function claimArchive(settings: Settings): Promise<void> {
  if (settings.remote !== undefined || !settings.isEngineOwn) return;
  const connection = await ReplicationConnection.open(settings.need("master_db"));
  try {
    await claimIdentity(settings.paths.completed, await askServer(connection));
  } finally {
    connection.close();
  }
}

/** @returns false when somebody has to restart the server first */
async function restartIfNeeded(
  job: Job,
  settings: Settings,
  changes: readonly SettingChange[],
): Promise<boolean> {
  const waiting = changes.filter((change) => change.needsRestart);
  if (waiting.length === 0) return true;
  const command = settings.config.get("master_restart_cmd");
  if (command === "") {
    job.log.warn(
      `The server must be restarted for ${waiting.map((change) => change.name).join(", ")}; ` +
        "run setup once more then, to see that archiving works",
    );
    return false;
  }
  job.log.info(`Restarting the server: ${command}`);
  const run = spawnSync("/bin/sh", ["-c", command], { stdio: ["ignore", 2, 2] });
  crashPoint("setup.restarted");
  if (run.status !== 0)
    throw new WalError(`master_restart_cmd failed (exit code ${run.status ?? run.signal})`);
  return true;
}

/** A segment is finished and must arrive: configuration, rights and the way to the archive all work then.
 * @throws WalError with what the server says about its archiver */
async function prove(job: Job, settings: Settings): Promise<void> {
  const database = await Database.open(settings.need("master_db"), { autocommit: true });
  try {
    await database.query("select pg_logical_emit_message(false, 'walmgr', 'setup')");
    const segment = await database.queryValue<string>("select pg_walfile_name(pg_current_wal_insert_lsn())");
    await database.query("select pg_switch_wal()");
    const deadline = performance.now() + proofTimeoutMs;
    for (;;) {
      const row = await database.queryOne<{
        last_archived_wal: string | null;
        last_failed_wal: string | null;
      }>("select last_archived_wal, last_failed_wal from pg_stat_archiver");
      if (
        row.last_archived_wal !== null &&
        segment !== undefined &&
        row.last_archived_wal.slice(0, 24) >= segment
      )
        break;
      if (performance.now() > deadline) {
        throw new WalError(
          `segment ${segment} did not reach the archive (last failed: ${row.last_failed_wal})`,
          {
            hint: "The server's log tells why archive_command fails.",
          },
        );
      }
      await sleep(100);
    }
    job.log.info(`Archiving works: ${segment} is in the archive`);
  } finally {
    await database.close();
  }
}
