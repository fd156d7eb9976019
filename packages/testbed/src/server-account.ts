import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** The operating system account that owns a server's files and processes. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
  /** False when servers run under the uid of this process: then nothing has to change owner. */
  readonly isOther: boolean;
}

let account: ServerAccount | undefined;

/** The account servers run under: our own, or, as PostgreSQL refuses to run as root, SKYTOOLS_PG_USER (default: nobody).
 * @throws Error when the named user does not exist */
export function serverAccount(): ServerAccount {
  account ??= findAccount();
  return account;
}

function findAccount(): ServerAccount {
  const uid = process.getuid?.() ?? -1;
  const gid = process.getgid?.() ?? -1;
  if (uid !== 0) return { uid, gid, isOther: false };
  const user = process.env.SKYTOOLS_PG_USER ?? "nobody";
  const id = (flag: string) => Number(execFileSync("id", [flag, user], { encoding: "utf8" }).trim());
  return { uid: id("-u"), gid: id("-g"), isOther: true };
}

/** Spawn options that make a child run under the account. */
export function spawnIdentity(owner: ServerAccount): { uid?: number; gid?: number } {
  return owner.isOther ? { uid: owner.uid, gid: owner.gid } : {};
}

/** Whether the account may pass through every directory down to the path and read what is there (mode bits only). */
export function isReachable(path: string, owner: ServerAccount): boolean {
  const full = resolve(path);
  if (!isGranted(full, owner, 0o5)) return false;
  for (let dir = dirname(full); ; dir = dirname(dir)) {
    if (!isGranted(dir, owner, 0o1)) return false;
    if (dir === dirname(dir)) return true;
  }
}

function isGranted(path: string, owner: ServerAccount, bits: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  const shift = stat.uid === owner.uid ? 6 : stat.gid === owner.gid ? 3 : 0;
  return ((stat.mode >> shift) & bits) === bits;
}
