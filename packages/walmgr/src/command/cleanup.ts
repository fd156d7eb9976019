import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { type Command, crashPoint, type Job, removePath, UsageError } from "@skytools/skytools";
import { removeKeys } from "../init/authorized-keys.ts";
import { setPasswordEntry } from "../init/password-entry.ts";
import { isOnlyTold } from "../place/dry-run.ts";
import { runningServer } from "../place/server-directory.ts";
import { type Settings, settingsFor } from "../place/settings.ts";

/** Source: spec/walmgr.md 5.14 */
export const cleanupCommand: Command = {
  name: "cleanup",
  args: "",
  summary: "remove the archive with all backups, old data directories, and the configuration file",
  pidfile: "none",
  switches: [
    { flags: "--force", doc: "really do it" },
    { flags: "--ssh-remove-key <text>", doc: "also remove the lines with this text from authorized_keys" },
    { flags: "--remove-password", doc: "also remove the password of primary_conninfo from .pgpass" },
  ],
  run: cleanup,
};

async function cleanup(job: Job): Promise<void> {
  const settings = settingsFor(job);
  const ownsArchive = settings.role === "standby" && settings.remote === undefined;
  const doomed = [...(ownsArchive ? archiveOf(settings) : []), job.config.file];
  if (isOnlyTold(job, ...doomed.map((path) => `remove ${path}`))) return;
  if (!job.flag("force")) {
    throw new UsageError(`cleanup would remove ${doomed.join(", ")}`, { hint: "Give --force to do that." });
  }
  const key = job.option("sshRemoveKey");
  if (key !== undefined) await removeKeys(join(homedir(), ".ssh", "authorized_keys"), key);
  if (job.flag("removePassword")) {
    await setPasswordEntry(join(homedir(), ".pgpass"), settings.need("primary_conninfo"), undefined);
  }
  // The configuration last: without it an interrupted call could not be run again.
  for (const path of doomed) {
    await removePath(path, { recursive: true, force: true });
    job.log.info(`removed ${path}`);
    crashPoint("cleanup.removed");
  }
}

/** @throws UsageError when the archive's root is not one that may go */
function archiveOf(settings: Settings): string[] {
  const { root, completed } = settings.paths;
  if (root === undefined)
    throw settings.error("walmgr_data", "required key is not set: what belongs to the archive?");
  if (!completed.startsWith(`${root}/`) || dirname(root) === root || root === homedir()) {
    throw new UsageError(`${root} holds more than an archive: remove it by hand`);
  }
  const stranger = strangerIn(root, settings);
  if (stranger !== undefined)
    throw new UsageError(`${root} holds more than an archive: remove it by hand`, {
      hint: `${stranger} is not of the archive.`,
    });
  const data = settings.has("slave_data") ? settings.path("slave_data") : undefined;
  if (
    data !== undefined &&
    (data === root || data.startsWith(`${root}/`)) &&
    runningServer(data) !== undefined
  ) {
    throw new UsageError(`a server runs on ${data}, which is in ${root}`);
  }
  return [...(existsSync(root) ? [root] : []), ...(data === undefined ? [] : oldDirectories(data))];
}

/** A name in the archive's root that walmgr has not put there; undefined: there is none. */
function strangerIn(root: string, settings: Settings): string | undefined {
  if (!existsSync(root)) return undefined;
  const { completed, partial, fullBackup, configBackup } = settings.paths;
  const data = settings.has("slave_data") ? settings.path("slave_data") : undefined;
  const ofServer = data === undefined ? [] : [data, ...oldDirectories(data)];
  const known = [completed, partial, configBackup, ...ofServer, settings.config.file]
    .filter((path) => path !== "")
    .map((path) => resolve(path));
  const isSet = (name: string) =>
    name === basename(fullBackup) || name.startsWith(`${basename(fullBackup)}.`);
  return readdirSync(root).find((name) => {
    const path = join(root, name);
    return (
      !isSet(name) &&
      !name.startsWith(".expired-") &&
      known.every((each) => !`${each}/`.startsWith(`${path}/`))
    );
  });
}

function oldDirectories(data: string): string[] {
  const names = existsSync(dirname(data)) ? readdirSync(dirname(data)) : [];
  const prefix = `${basename(data)}.`;
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => join(dirname(data), name));
}
