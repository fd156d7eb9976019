import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { type Codec, codecs } from "../archive/codec.ts";
import { openRegular } from "../archive/durable-file.ts";
import { parseBackupLabel } from "../wal/backup-label.ts";
import { parseLsn } from "../wal/lsn.ts";
import { errorCode, storageTrouble } from "../wal/wal-error.ts";

/** What `backup.json` in a backup set says. It is the last file that is written: a set without it is none. */
export interface SetInfo {
  /** unique: time and position of its beginning */
  readonly id: string;
  readonly systemIdentifier: string;
  readonly serverVersion: number;
  readonly label: string;
  readonly startLsn: string;
  readonly stopLsn: string;
  readonly timeline: number;
  readonly segmentSize: number;
  readonly firstSegment: string;
  readonly startTime: string;
  readonly stopTime: string;
  readonly sizeBytes: number;
  readonly codec: Codec;
  /** the WAL that makes it consistent is in it */
  readonly includesWal: boolean;
  /** id of the set that an incremental one is based on */
  readonly basedOn: string | undefined;
  readonly tablespaces: readonly { readonly oid: string; readonly location: string }[];
  readonly walmgrVersion: string;
  /** retention leaves it alone */
  readonly isKept?: boolean;
}

/** A backup set on this host. */
export interface BackupSet {
  /** name of its directory, e.g. `data.master.0` */
  readonly name: string;
  readonly path: string;
  readonly info: SetInfo;
}

export const infoFile = "backup.json";

/** Directory of a set that is being written. */
export function newSetPath(fullBackup: string): string {
  return `${fullBackup}.new`;
}

/** The finished backup sets, newest first; other names with the same beginning are no sets.
 * @param fullBackup path of the newest set
 * @throws WalError exit code 2 when the directory cannot be read */
export async function listSets(fullBackup: string): Promise<BackupSet[]> {
  const root = dirname(fullBackup);
  const base = basename(fullBackup);
  let names: string[];
  try {
    names = await readdir(root);
  } catch (error) {
    throw storageTrouble(`archive ${root} cannot be read (${errorCode(error)})`, error);
  }
  const sets: BackupSet[] = [];
  for (const name of names) {
    if (name !== base && !(name.startsWith(`${base}.`) && /^\d+$/.test(name.slice(base.length + 1))))
      continue;
    const info = await readSetInfo(join(root, name));
    if (info !== undefined) sets.push({ name, path: join(root, name), info });
  }
  return sets.sort(
    (a, b) => (a.info.startTime < b.info.startTime ? 1 : -1) || suffixOf(a.name) - suffixOf(b.name),
  );
}

/** -1 for the newest set's own name. */
export function suffixOf(name: string): number {
  const suffix = /\.(\d+)$/.exec(name)?.[1];
  return suffix === undefined ? -1 : Number(suffix);
}

/** Reads what a set says about itself; a set of the original walmgr is known by its backup_label only.
 * @returns undefined for a directory that is no finished set */
export async function readSetInfo(path: string): Promise<SetInfo | undefined> {
  try {
    const handle = await openRegular(join(path, infoFile));
    try {
      const info: unknown = JSON.parse(await handle.readFile("utf8"));
      return isSetInfo(info) ? info : undefined;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errorCode(error) !== "ENOENT") return undefined;
    return originalSet(path);
  }
}

/** Numbers of tablespaces become parts of paths, and whoever wrote the set may be another host. */
export function isSetInfo(value: unknown): value is SetInfo {
  if (typeof value !== "object" || value === null) return false;
  const { id, startLsn, codec, tablespaces } = value as Partial<SetInfo>;
  return (
    typeof id === "string" &&
    typeof startLsn === "string" &&
    codecs.some((each) => each === codec) &&
    Array.isArray(tablespaces) &&
    tablespaces.every(isTablespace)
  );
}

function isTablespace(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { oid, location } = value as Partial<SetInfo["tablespaces"][number]>;
  return isOid(oid) && typeof location === "string" && isAbsolute(location) && !location.includes("\0");
}

/** Whether it is the number of a tablespace, and so safe as a part of a path. */
export function isOid(text: unknown): text is string {
  return typeof text === "string" && /^\d{1,10}$/.test(text);
}

async function originalSet(path: string): Promise<SetInfo | undefined> {
  try {
    const label = parseBackupLabel(await readFile(join(path, "backup_label"), "utf8"));
    if (label === undefined || (await isUnfinished(path))) return undefined;
    const { mtime } = await stat(join(path, "backup_label"));
    const control = await readFile(join(path, "global", "pg_control"));
    return {
      id: `original-${label.firstSegment}`,
      systemIdentifier: control.readBigUInt64LE(0).toString(),
      serverVersion: 0,
      label: label.label,
      startLsn: `${(label.startLsn >> 32n).toString(16).toUpperCase()}/${(label.startLsn & 0xffffffffn).toString(16).toUpperCase()}`,
      stopLsn: "0/0",
      timeline: label.timeline,
      segmentSize: segmentSizeOf(label.firstSegment, label.startLsn),
      firstSegment: label.firstSegment,
      startTime: mtime.toISOString(),
      stopTime: mtime.toISOString(),
      sizeBytes: 0,
      codec: "none",
      includesWal: false,
      basedOn: undefined,
      tablespaces: [],
      walmgrVersion: "3",
    };
  } catch {
    return undefined;
  }
}

/** Our own sets carry a manifest; without their backup.json they were not finished. */
async function isUnfinished(path: string): Promise<boolean> {
  return (await stat(join(path, "backup_manifest")).catch(() => undefined)) !== undefined;
}

/** From a position and its segment's name; 16 MB, the usual size, when several fit. */
function segmentSizeOf(segment: string, lsn: bigint): number {
  const low = lsn & 0xffffffffn;
  const part = BigInt(`0x${segment.slice(16)}`);
  const fits = [24, 20, 21, 22, 23, 25, 26, 27, 28, 29, 30].find((bits) => low >> BigInt(bits) === part);
  return 1 << (fits ?? 24);
}

/** The LSN at which a restored set is consistent. */
export function stopLsn(set: BackupSet): bigint {
  return parseLsn(set.info.stopLsn);
}
