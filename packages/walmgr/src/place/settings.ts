import { hostname } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { type Config, type ConfigError, expandHome, type Job, UsageError } from "@skytools/skytools";
import type { Archive } from "../archive/archive.ts";
import type { Codec } from "../archive/codec.ts";
import { LocalArchive } from "../archive/local-archive.ts";
import { RemoteSetStore } from "../backup/remote-set-store.ts";
import { LocalSetStore, type SetStore } from "../backup/set-store.ts";
import { RemoteArchive } from "../remote/remote-archive.ts";
import type { RemoteHost } from "../remote/remote-program.ts";
import { isHostForSsh, type Place, parsePlace } from "./place.ts";

export type Role = "primary" | "standby";

/** Directories of an archive. */
export interface ArchivePaths {
  readonly root: string | undefined;
  readonly completed: string;
  readonly partial: string;
  readonly fullBackup: string;
  /** "": configuration files are not backed up */
  readonly configBackup: string;
}

/** What the configuration says, checked as a whole before anything is touched.
 * Source: spec/walmgr.md 3 */
export class Settings {
  readonly config: Config;
  readonly role: Role;
  readonly paths: ArchivePaths;
  /** where the archive is; undefined: on this host */
  readonly remote: RemoteHost | undefined;

  /** @throws ConfigError naming the key */
  constructor(config: Config) {
    this.config = config;
    this.role = has(config, "master_data") ? "primary" : "standby";
    const places = archivePlaces(config);
    const hosts = new Set(Object.values(places).map((place) => place?.host));
    hosts.delete(undefined);
    const slave = config.get("slave");
    const isSlaveHere = slave === "" || isThisHost(slave);
    if (this.role === "primary" && !isSlaveHere && places.completed.host === undefined) {
      throw config.error(
        "completed_wals",
        `the archive would be on this host, but slave is ${slave}`,
        `Write ${slave}:PATH, or leave slave empty when this host keeps the archive.`,
      );
    }
    refuseOddSlot(config);
    const { host } = places.completed;
    if (hosts.size > 1 || (this.role === "primary" && host !== undefined && host !== slave)) {
      const named = this.role === "primary" ? `the host that slave names ("${slave}")` : "one host";
      throw config.error("completed_wals", `all parts of the archive must be on ${named}`);
    }
    this.remote = host === undefined ? undefined : this.#remoteHost(host);
    this.paths = {
      root: places.root?.path,
      completed: places.completed.path,
      partial: places.partial.path,
      fullBackup: places.fullBackup.path,
      configBackup: places.configBackup.path,
    };
  }

  #remoteHost(host: string): RemoteHost {
    const { config } = this;
    if (!isHostForSsh(host))
      throw config.error("slave", `${JSON.stringify(host)} is not a host as ssh takes it: host or user@host`);
    if (!has(config, "slave_config")) {
      throw config.error("slave_config", "required key is not set: the archive is on another host");
    }
    const options = config.getList("ssh_options").filter((option) => option !== "");
    return {
      host,
      sshOptions: config.getInt("compression") > 0 ? ["-C", ...options] : options,
      programPath: config.get("remote_walmgr_path"),
      configFile: config.get("slave_config"),
      timeoutSeconds: config.getFloat("ssh_timeout"),
    };
  }

  get codec(): Codec {
    return this.config.get("archive_compression") as Codec;
  }

  get backupCodec(): Codec {
    return this.config.get("backup_compression") as Codec;
  }

  get isEngineOwn(): boolean {
    return this.config.get("archive_engine") === "walmgr";
  }

  /** The archive, wherever it is. */
  openArchive(): Archive {
    return this.remote === undefined
      ? this.localArchive()
      : new RemoteArchive(this.remote, this.paths.completed);
  }

  /** The backup sets, wherever they are. */
  openSets(): SetStore {
    return this.remote === undefined
      ? new LocalSetStore(this.paths.fullBackup)
      : new RemoteSetStore(this.remote);
  }

  localArchive(): LocalArchive {
    return new LocalArchive({
      directory: this.paths.completed,
      partialDirectory: this.paths.partial,
      codec: this.codec,
      parallelFiles: this.config.getInt("parallel_jobs"),
    });
  }

  /** A file or directory that a command cannot do without. @throws ConfigError */
  path(key: string): string {
    this.need(key);
    const path = this.config.getFile(key);
    if (!isAbsolute(path)) throw this.config.error(key, `"${path}" must be an absolute path`);
    refuseLineEnd(this.config, key, path);
    return resolve(path);
  }

  /** @throws ConfigError when the key is absent or empty */
  need(key: string): string {
    if (!has(this.config, key))
      throw this.config.error(key, `required key is not set: this command needs it`);
    return this.config.get(key);
  }

  has(key: string): boolean {
    return has(this.config, key);
  }

  /** The data directory of this side's server. @throws ConfigError */
  dataDirectory(): string {
    return this.path(this.role === "primary" ? "master_data" : "slave_data");
  }

  error(key: string, message: string, hint?: string): ConfigError {
    return this.config.error(key, message, hint);
  }
}

/** As {@link settingsFor}, for a command that works in the archive's directories itself. @throws UsageError */
export function settingsWithArchive(job: Job, role?: Role): Settings {
  const settings = settingsFor(job, role);
  if (settings.remote === undefined) return settings;
  throw new UsageError(`the archive is on ${settings.remote.host}: ${job.command} works there`, {
    hint: "Run it with the configuration file of that host.",
  });
}

function has(config: Config, key: string): boolean {
  return (config.find(key) ?? "") !== "";
}

function archivePlaces(config: Config): Record<
  "completed" | "partial" | "fullBackup" | "configBackup",
  Place
> & {
  root: Place | undefined;
} {
  const root = has(config, "walmgr_data")
    ? absolute(config, "walmgr_data", config.get("walmgr_data"))
    : undefined;
  const slave = config.get("slave");
  // On the primary walmgr_data may be a plain path of the other host, as the original's sample has it.
  const host = root?.host ?? (slave === "" || isThisHost(slave) ? undefined : slave);
  const place = (key: string, name: string): Place => {
    const text = config.find(key);
    if (text !== undefined && text !== "") return absolute(config, key, text);
    if (root === undefined) throw config.error(key, "required key is not set, and walmgr_data neither");
    return { host, path: join(root.path, name) };
  };
  const isWithoutConfig =
    config.find("config_backup") === "" || (root === undefined && !config.has("config_backup"));
  return {
    root,
    completed: place("completed_wals", "logs.complete"),
    partial: place("partial_wals", "logs.partial"),
    fullBackup: place("full_backup", "data.master"),
    configBackup: isWithoutConfig ? { host, path: "" } : place("config_backup", "config.backup"),
  };
}

function absolute(config: Config, key: string, text: string): Place {
  const place = parsePlace(text);
  const isHere = place.host === undefined || isThisHost(place.host);
  const path = isHere ? expandHome(place.path) : place.path;
  // Whose home that is the other host knows, by its own file.
  const isFarHome = !isHere && path.startsWith("~/");
  if (!isAbsolute(path) && !isFarHome) throw config.error(key, `"${text}" must be an absolute path`);
  refuseLineEnd(config, key, path);
  return { host: isHere ? undefined : place.host, path: isFarHome ? path : resolve(path) };
}

/** A value that goes on in the next line of the file, most likely. */
function refuseLineEnd(config: Config, key: string, path: string): void {
  if (/[\r\n]/.test(path))
    throw config.error(key, `${JSON.stringify(path)} is not a path: it has a line's end in it`);
}

/** The server would refuse it, and the standby be made without a slot. */
function refuseOddSlot(config: Config): void {
  const name = config.get("slot_name");
  if (/^[a-z0-9_]{1,63}$/.test(name)) return;
  throw config.error(
    "slot_name",
    `${JSON.stringify(name)} is not a slot's name: lower case letters, digits and underscores, 63 at most`,
  );
}

function isThisHost(host: string): boolean {
  return ["localhost", "127.0.0.1", "::1", hostname()].includes(host);
}

/** The settings of a command that is for one side only, or for both. @throws ConfigError, UsageError */
export function settingsFor(job: Job, role?: Role): Settings {
  const settings = new Settings(job.config);
  if (role !== undefined && settings.role !== role) {
    const side = settings.role === "primary" ? "the primary" : "the standby or archive host";
    throw new UsageError(`command ${job.command} is not available on ${side} (${job.config.file})`, {
      hint: "A file with master_data is for the primary, one without it for the other side.",
    });
  }
  return settings;
}
