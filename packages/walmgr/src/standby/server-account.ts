import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { environmentWithoutPassword, type Job, removePath } from "@skytools/skytools";
import type { RunningServer } from "../place/server-directory.ts";
import type { Settings } from "../place/settings.ts";
import { errorCode, WalError } from "../wal/wal-error.ts";

/** The operating system's account under which a server runs. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
  /** further groups; they often are what makes an archive readable */
  readonly groups: readonly number[];
}

/** @param dataDirectory its owner, where processes cannot be looked at */
export function accountOf(server: RunningServer, dataDirectory: string): ServerAccount {
  try {
    const status = readFileSync(`/proc/${server.pid}/status`, "utf8");
    const numbers = (name: string) =>
      (new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1] ?? "").split(/\s+/).filter(Boolean).map(Number);
    const [uid, gid] = [numbers("Uid")[1], numbers("Gid")[1]];
    if (uid !== undefined && gid !== undefined) return { uid, gid, groups: numbers("Groups") };
  } catch {
    // No /proc here.
  }
  const { uid, gid } = statSync(dataDirectory);
  return { uid, gid, groups: [] };
}

/** @throws WalError when this process may not signal the server, or not write into its directory */
export function refuseOtherAccount(job: Job, account: ServerAccount): void {
  const own = process.geteuid?.();
  if (own === undefined || own === 0 || own === account.uid) return;
  throw new WalError(`${job.command} must be run under the server's account (uid ${account.uid}) or by root`);
}

const probe = "pg_wal/walmgr_probe";

/** Lets the server's account fetch a file of the archive, as `restore_command` does: what root can read says nothing about
 * what the server can.
 * @throws WalError when it cannot */
export async function proveFetch(
  job: Job,
  settings: Settings,
  account: ServerAccount,
  dataDirectory: string,
  name: string,
): Promise<void> {
  if (process.geteuid?.() === account.uid) return;
  const words = [process.execPath, resolve(process.argv[1]!), resolve(settings.config.file)];
  const run = spawnSync(
    "setpriv",
    [
      `--reuid=${account.uid}`,
      `--regid=${account.gid}`,
      account.groups.length > 0 ? `--groups=${account.groups.join(",")}` : "--clear-groups",
      ...words,
      "xrestore",
      name,
      probe,
      "--set=restore_retry_timeout=0",
    ],
    // Without HOME it is the account's own.
    { cwd: dataDirectory, env: { ...environmentWithoutPassword(), HOME: undefined }, encoding: "utf8" },
  );
  await removePath(join(dataDirectory, probe), { force: true });
  if (run.error !== undefined && errorCode(run.error) === "ENOENT") {
    job.log.warn(
      "whether the server's own account can read the archive is not known: there is no setpriv here",
    );
    return;
  }
  if (run.status === 0) return;
  const reason = (run.stderr ?? "").trim().split("\n").at(-1) || (run.error?.message ?? "no reason given");
  throw new WalError(
    `the server's account (uid ${account.uid}) cannot fetch ${name} from the archive: ${reason}`,
    {
      hint: "The server would end its recovery without it. Make the archive readable for it, then boot again.",
    },
  );
}
