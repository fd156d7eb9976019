import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createDirectorySync, environmentWithoutPassword, UsageError } from "@skytools/skytools";
import { replaceFile } from "../archive/durable-file.ts";
import { isHostForSsh } from "../place/place.ts";
import { shellCommand } from "../remote/shell-quote.ts";
import { errorCode } from "../wal/wal-error.ts";
import { addKey } from "./authorized-keys.ts";
import { setPasswordEntry } from "./password-entry.ts";
import { locateServer } from "./server-location.ts";

/** Words of the command line that make a configuration file. */
export interface InitOptions {
  readonly slave: string | undefined;
  readonly pgdata: string | undefined;
  readonly configDir: string | undefined;
  readonly walmgrData: string | undefined;
  readonly sshKeygen: boolean;
  readonly sshAddKey: string | undefined;
  readonly primaryConninfo: string | undefined;
  readonly addPassword: string | undefined;
  readonly isDryRun: boolean;
}

type Lines = readonly (readonly [key: string, value: string])[];

/** @returns what was done, for the terminal
 * @throws UsageError; an existing file is never overwritten
 * Source: spec/walmgr.md 2, 3 */
export async function initPrimary(options: InitOptions): Promise<string[]> {
  if (options.slave === undefined) throw new UsageError("--init-master needs --slave=HOST");
  if (!isHostForSsh(options.slave))
    throw new UsageError(`--slave: ${JSON.stringify(options.slave)} is not a host as ssh takes it`);
  const server = locateServer(options.pgdata);
  if (!existsSync(server.configFile)) throw new UsageError(`there is no ${server.configFile}`);
  const directory = options.configDir ?? join(homedir(), "conf");
  const root = options.walmgrData ?? "~/walshipping";
  const lines: Lines = [
    ...framework("wal-master"),
    ["master_db", "dbname=template1"],
    ["master_data", server.dataDirectory],
    ["master_config", server.configFile],
    ["master_bin", server.binDirectory],
    ["slave", options.slave],
    ["slave_config", join(directory, "wal-slave.ini")],
    ["walmgr_data", root],
    ["completed_wals", "%(slave)s:%(walmgr_data)s/logs.complete"],
    ["partial_wals", "%(slave)s:%(walmgr_data)s/logs.partial"],
    ["full_backup", "%(slave)s:%(walmgr_data)s/data.master"],
    ["config_backup", "%(slave)s:%(walmgr_data)s/config.backup"],
    ["keep_symlinks", "1"],
    ["compression", "0"],
  ];
  const done = [await writeConfig(join(directory, "wal-master.ini"), lines, options)];
  if (options.sshKeygen) done.push(makeKey(options.isDryRun));
  return done;
}

/** As {@link initPrimary}. */
export async function initStandby(options: InitOptions): Promise<string[]> {
  if (options.addPassword !== undefined && options.primaryConninfo === undefined)
    throw new UsageError("--add-password needs --primary-conninfo");
  const key = options.sshAddKey === undefined ? undefined : readGiven("--ssh-add-key", options.sshAddKey);
  const password =
    options.addPassword === undefined
      ? undefined
      : (readGiven("--add-password", options.addPassword).split("\n")[0] ?? "");
  if (key !== undefined && key.trim().split("\n").length > 1)
    throw new UsageError(`--ssh-add-key: ${options.sshAddKey} holds more than one line, a public key is one`);
  const server = locateServer(options.pgdata);
  const directory = options.configDir ?? join(homedir(), "conf");
  const lines: Lines = [
    ...framework("wal-slave"),
    ["slave_data", server.dataDirectory],
    ["slave_bin", server.binDirectory],
    [
      "slave_stop_cmd",
      shellCommand([join(server.binDirectory, "pg_ctl"), "-D", server.dataDirectory, "-m", "fast", "stop"]),
    ],
    [
      "slave_config_dir",
      dirname(server.configFile) === server.dataDirectory ? "" : dirname(server.configFile),
    ],
    ["walmgr_data", options.walmgrData ?? "~/walshipping"],
    ["completed_wals", "%(walmgr_data)s/logs.complete"],
    ["partial_wals", "%(walmgr_data)s/logs.partial"],
    ["full_backup", "%(walmgr_data)s/data.master"],
    ["config_backup", "%(walmgr_data)s/config.backup"],
    ...(options.primaryConninfo === undefined
      ? []
      : [["primary_conninfo", options.primaryConninfo] as const]),
  ];
  const done = [await writeConfig(join(directory, "wal-slave.ini"), lines, options)];
  if (key !== undefined) done.push(await letIn(key, options.isDryRun));
  if (password !== undefined) {
    const file = join(homedir(), ".pgpass");
    if (!options.isDryRun) await setPasswordEntry(file, options.primaryConninfo ?? "", password);
    done.push(options.isDryRun ? `write the password to ${file}` : `wrote the password to ${file}`);
  }
  return done;
}

function readGiven(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`${option}: cannot read ${path} (${errorCode(cause)})`, { cause });
  }
}

async function letIn(key: string, isDryRun: boolean): Promise<string> {
  const file = join(homedir(), ".ssh", "authorized_keys");
  if (isDryRun) return `add the key to ${file}`;
  return (await addKey(file, key)) ? `added the key to ${file}` : `the key is in ${file} already`;
}

function framework(name: string): Lines {
  return [
    ["job_name", name],
    ["logfile", "~/log/%(job_name)s.log"],
    ["pidfile", "~/pid/%(job_name)s.pid"],
    ["use_skylog", "0"],
  ];
}

async function writeConfig(path: string, lines: Lines, { isDryRun }: InitOptions): Promise<string> {
  for (const [key, value] of lines)
    if (value !== value.trim() || /[\p{Cc}]/u.test(value))
      throw new UsageError(`${key}: ${JSON.stringify(value)} cannot stand in a configuration file`);
  const escaped = (key: string, value: string) =>
    /^%\((walmgr_data|slave)\)s/.test(value) || key === "logfile" || key === "pidfile"
      ? value
      : value.replaceAll("%", "%%");
  const text = `[walmgr]\n${lines.map(([key, value]) => `${key} = ${escaped(key, value)}`.trimEnd()).join("\n")}\n`;
  if (existsSync(path)) {
    // A call that was interrupted after it had written the file can be made again.
    if (readFileSync(path, "utf8") === text) return `${path} is there already`;
    throw new UsageError(`${path} is there already`, { hint: "Move it away first." });
  }
  if (isDryRun) return `write ${path}:\n${text}`;
  for (const directory of [dirname(path), join(homedir(), "log"), join(homedir(), "pid")]) {
    createDirectorySync(directory, { recursive: true });
  }
  await replaceFile(path, text);
  return `wrote ${path}`;
}

function makeKey(isDryRun: boolean): string {
  const file = join(homedir(), ".ssh", "id_ed25519");
  if (existsSync(file)) {
    if (existsSync(`${file}.pub`))
      return `${file} is there already: ${readFileSync(`${file}.pub`, "utf8").trim()}`;
    throw new UsageError(`${file} is there without ${file}.pub`, {
      hint: `ssh-keygen -y -f ${file} > ${file}.pub makes it; if that fails, ${file} is not whole and may go.`,
    });
  }
  if (isDryRun) return `make ${file}`;
  createDirectorySync(dirname(file), { recursive: true, mode: 0o700 });
  const run = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file], {
    encoding: "utf8",
    env: environmentWithoutPassword(),
  });
  if (run.status !== 0) throw new UsageError(`ssh-keygen failed: ${run.error?.message ?? run.stderr.trim()}`);
  return `made ${file}: ${readFileSync(`${file}.pub`, "utf8").trim()}`;
}
