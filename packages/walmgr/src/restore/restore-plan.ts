import { existsSync, lstatSync, readdirSync, statfsSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { UsageError } from "@skytools/skytools";
import type { Archive } from "../archive/archive.ts";
import { readText } from "../archive/fetch-file.ts";
import type { BackupSet } from "../backup/set-info.ts";
import type { SetStore } from "../backup/set-store.ts";
import { runningServer } from "../place/server-directory.ts";
import type { Settings } from "../place/settings.ts";
import { missingForConsistency } from "../retention/expire.ts";
import { refuseRewinding } from "../standby/rewinding-process.ts";
import { formatLsn, parseLsn } from "../wal/lsn.ts";
import { parseHistory, whyUnreachable } from "../wal/timeline-history.ts";
import { WalError } from "../wal/wal-error.ts";
import { historyName, parseWalName } from "../wal/wal-name.ts";
import { refuseOccupied } from "./left-over.ts";
import type { RecoveryTarget } from "./recovery-target.ts";

export interface RestoreRequest {
  /** name of the set; undefined: the newest */
  readonly setName: string | undefined;
  readonly dataDirectory: string;
  readonly target: RecoveryTarget;
  /** `OLD=NEW` */
  readonly tablespaceMoves: readonly string[];
  /** a running server is going to be stopped first */
  readonly stopsServer: boolean;
  readonly sets: SetStore;
}

export interface RestorePlan {
  /** full set first, then the incremental ones on top of it; the last one is what was asked for */
  readonly chain: readonly BackupSet[];
  readonly dataDirectory: string;
  /** where an old data directory goes; undefined: there is none */
  readonly setAside: string | undefined;
  /** oid to directory */
  readonly tablespaces: ReadonlyMap<string, string>;
}

/** Looks at everything that a restore needs before anything is touched.
 * @throws WalError, UsageError saying what is in the way
 * Source: spec/walmgr.md 5.5, 12.4; S14, S15 */
export async function planRestore(settings: Settings, request: RestoreRequest): Promise<RestorePlan> {
  const sets = await request.sets.list();
  const set = chooseSet(sets, request);
  const chain = chainOf(sets, set);
  const archive = settings.openArchive();
  try {
    await checkWal(archive, set, request.target);
  } finally {
    await archive.close();
  }
  const { dataDirectory } = request;
  refuseRunning(dataDirectory, request.stopsServer);
  const setAside = freeName(dataDirectory);
  const tablespaces = mapTablespaces(set, request);
  checkSpace(dataDirectory, chain);
  return { chain, dataDirectory, setAside, tablespaces };
}

/** @throws WalError when a server runs there that is not going to be stopped, or another program works on it */
export function refuseRunning(dataDirectory: string, stopsServer: boolean): void {
  refuseRewinding(dataDirectory);
  if (stopsServer || runningServer(dataDirectory) === undefined) return;
  throw new WalError(`a server runs on ${dataDirectory}`, { hint: "Stop it, or set slave_stop_cmd." });
}

function chooseSet(sets: readonly BackupSet[], { setName, target }: RestoreRequest): BackupSet {
  if (setName !== undefined) {
    const found = sets.find((set) => set.name === setName || set.info.id === setName);
    if (found !== undefined) return found;
    throw new UsageError(`there is no backup set "${setName}"`, {
      hint:
        sets.length === 0 ? "There are no backup sets." : `Sets: ${sets.map((set) => set.name).join(", ")}.`,
    });
  }
  const time = target.settings.get("recovery_target_time");
  const limit = time === undefined ? Number.POSITIVE_INFINITY : Date.parse(time);
  const fits = (set: BackupSet) =>
    (target.lsn === undefined || parseLsn(set.info.stopLsn) <= target.lsn) &&
    (Number.isNaN(limit) || Date.parse(set.info.stopTime) <= limit);
  const newest = sets.find(fits);
  if (newest !== undefined) return newest;
  throw new WalError(
    sets.length === 0
      ? "there is no backup set to restore"
      : `no backup set was complete before ${target.text}`,
  );
}

/** What an incremental set is based on, down to a full one. @throws WalError when one is gone, or based on itself */
export function chainOf(sets: readonly BackupSet[], set: BackupSet): BackupSet[] {
  const chain = [set];
  for (let base = set.info.basedOn; base !== undefined; base = chain[0]!.info.basedOn) {
    const found = sets.find((each) => each.info.id === base);
    if (found === undefined)
      throw new WalError(`backup set ${set.name} is based on ${base}, which is not there`);
    if (chain.includes(found)) throw new WalError(`backup set ${found.name} is based on itself`);
    chain.unshift(found);
  }
  return chain;
}

async function checkWal(archive: Archive, set: BackupSet, target: RecoveryTarget): Promise<void> {
  const identity = await archive.identity();
  if (identity !== undefined && identity.systemIdentifier !== set.info.systemIdentifier) {
    throw new WalError(
      `backup set ${set.name} is of system ${set.info.systemIdentifier}, the archive of ${identity.systemIdentifier}`,
    );
  }
  const files = await archive.list();
  const names = new Set(files.map((file) => file.name));
  const missing =
    set.info.includesWal || set.info.serverVersion === 0 ? [] : missingForConsistency(set, names);
  if (missing.length > 0) {
    throw new WalError(
      `the archive lacks WAL that backup set ${set.name} needs: ${missing.slice(0, 3).join(", ")}`,
    );
  }
  if (target.lsn !== undefined && target.lsn < parseLsn(set.info.stopLsn)) {
    throw new WalError(
      `backup set ${set.name} is consistent from ${set.info.stopLsn} on, ${formatLsn(target.lsn)} is before`,
    );
  }
  await checkTimeline(archive, set, target, names);
}

/** The server would find out half way, after everything was copied. */
async function checkTimeline(
  archive: Archive,
  set: BackupSet,
  target: RecoveryTarget,
  names: ReadonlySet<string>,
): Promise<void> {
  if (target.timeline === "current") return;
  const wanted =
    target.timeline === "latest" ? latestTimeline(set.info.timeline, names) : Number(target.timeline);
  if (wanted === set.info.timeline) return;
  if (!names.has(historyName(wanted))) {
    throw new WalError(`the archive does not have ${historyName(wanted)}: timeline ${wanted} is not known`);
  }
  const history = await readText(archive, historyName(wanted));
  const reason = whyUnreachable(parseHistory(wanted, history ?? ""), {
    timeline: set.info.timeline,
    lsn: parseLsn(set.info.stopLsn),
  });
  if (reason === undefined) return;
  throw new WalError(`backup set ${set.name} cannot be recovered into timeline ${wanted}: ${reason}`, {
    hint: `Choose an older set, or --timeline=${set.info.timeline}.`,
  });
}

/** As the server looks for it: upwards, until a history is missing. */
function latestTimeline(from: number, names: ReadonlySet<string>): number {
  let timeline = from;
  const known = [...names].flatMap((name) => {
    const parsed = parseWalName(name);
    return parsed?.kind === "history" ? [parsed.timeline] : [];
  });
  while (known.includes(timeline + 1)) timeline += 1;
  return timeline;
}

/** The first free of `<data>.0`, `.1`, ...; undefined when there is nothing to set aside. A link is something, wherever it leads.
 * @param dataDirectory without a slash at its end */
export function freeName(dataDirectory: string): string | undefined {
  const found = lstatSync(dataDirectory, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.isDirectory() && readdirSync(dataDirectory).length === 0) return undefined;
  for (let number = 0; ; number++) {
    const name = `${dataDirectory}.${number}`;
    if (lstatSync(name, { throwIfNoEntry: false }) === undefined) return name;
  }
}

function mapTablespaces(
  set: BackupSet,
  { tablespaceMoves, dataDirectory }: RestoreRequest,
): Map<string, string> {
  const moves = new Map(
    tablespaceMoves.map((move) => {
      const [from, to, ...rest] = move.split("=");
      if (!from || !to || rest.length > 0 || !isAbsolute(to)) {
        throw new UsageError(`--tablespace wants OLD=NEW with an absolute path, got "${move}"`);
      }
      return [resolve(from), resolve(to)] as const;
    }),
  );
  const result = new Map<string, string>();
  for (const { oid, location } of set.info.tablespaces) {
    const directory = moves.get(resolve(location)) ?? location;
    moves.delete(resolve(location));
    const hint = `Give it another place: --tablespace ${location}=NEW.`;
    if ([...result.values()].includes(directory))
      throw new UsageError(`two tablespaces would go to ${directory}`, { hint });
    refuseOccupied(restoringPath(dataDirectory), directory, hint);
    result.set(oid, directory);
  }
  const stranger = [...moves.keys()][0];
  if (stranger !== undefined) throw new UsageError(`the backup has no tablespace at ${stranger}`);
  return result;
}

function checkSpace(dataDirectory: string, chain: readonly BackupSet[]): void {
  let parent = dirname(dataDirectory);
  while (!existsSync(parent)) parent = dirname(parent);
  const { bavail, bsize } = statfsSync(parent);
  const needed = Math.max(...chain.map((set) => set.info.sizeBytes));
  if (needed > bavail * bsize) {
    throw new WalError(
      `${parent} has ${bavail * bsize} bytes free, ${basename(dataDirectory)} needs ${needed}`,
    );
  }
}

/** Where a data directory is put together. */
export function restoringPath(dataDirectory: string): string {
  return join(dirname(dataDirectory), `.${basename(dataDirectory)}.restoring`);
}
