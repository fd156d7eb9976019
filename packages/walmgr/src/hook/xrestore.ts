import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Job, SkytoolsError } from "@skytools/skytools";
import type { Archive } from "../archive/archive.ts";
import type { Settings } from "../place/settings.ts";
import { restartFile } from "../retention/wal-purge.ts";
import { hookExit } from "../wal/wal-error.ts";
import { parseWalName, timelineOf } from "../wal/wal-name.ts";

const firstPauseMs = 500;
const longestPauseMs = 10_000;

/** Whether the server follows another one, or recovers once and then goes on by itself. The server's own files say so. */
type RecoveryKind = "standby" | "recovery";

/** Hands a file of the archive to a server in recovery. Does not wait: the server asks again by itself. The exception is a
 * recovery that ends by itself: "not there" would make it end now, so it is only said when it is known.
 * @param restartSegment from where the server would start again
 * @returns the exit code for the server
 * Source: spec/walmgr.md 6.2, 12.2 */
export async function restoreFile(
  job: Job,
  settings: Settings,
  name: string,
  destination: string,
  restartSegment: string | undefined,
): Promise<number> {
  if (parseWalName(name) === undefined) {
    job.log.error(`"${name.slice(0, 80)}" is not the name of a WAL file`);
    return hookExit.stopRecovery;
  }
  const kind: RecoveryKind = existsSync("recovery.signal") ? "recovery" : "standby";
  const giveUpAt = performance.now() + settings.config.getFloat("restore_retry_timeout") * 1000;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const answer = isPaused(settings) ? "wait" : await tryOnce(job, settings, kind, name, destination);
    if (answer === "found") {
      await noteRestart(settings, restartSegment);
      return hookExit.done;
    }
    if (answer === "absent") return hookExit.absent;
    if (answer === "damaged") {
      // A streaming standby gets the segment from the primary instead.
      return kind === "standby" && settings.has("primary_conninfo")
        ? hookExit.trouble
        : hookExit.stopRecovery;
    }
    if (kind === "standby") return answer === "wait" ? hookExit.absent : hookExit.trouble;
    if (answer === "trouble" && performance.now() + pauseMs > giveUpAt) {
      job.log.error(
        "the archive stays unreadable: the recovery stops here, so that it does not end too early",
      );
      return hookExit.stopRecovery;
    }
    await sleep(pauseMs);
    if (process.ppid <= 1) return hookExit.stopRecovery;
  }
}

type Answer = "found" | "absent" | "damaged" | "trouble" | "wait";

async function tryOnce(
  job: Job,
  settings: Settings,
  kind: RecoveryKind,
  name: string,
  destination: string,
): Promise<Answer> {
  const archive = settings.openArchive();
  try {
    if (!(await archive.fetch(name, destination))) {
      if (kind === "recovery" && (await isGap(archive, name))) {
        job.log.error(`${name} is missing, but later segments are there: the recovery stops here`);
        return "damaged";
      }
      // A begun segment is the end of what there is: only a server that will go on by itself may have it.
      const acceptsPartial = kind === "recovery" || isStopping(settings);
      if (!acceptsPartial || !(await archive.fetch(name, destination, { acceptsPartial }))) return "absent";
    }
    await noteProgress(settings);
    job.log.debug(`${name}: delivered`);
    return "found";
  } catch (error) {
    job.log.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof SkytoolsError && error.exitCode === hookExit.foreign ? "damaged" : "trouble";
  } finally {
    await archive.close();
  }
}

/** Whether recovery would end in the middle of what the archive has of a timeline. */
async function isGap(archive: Archive, name: string): Promise<boolean> {
  if (parseWalName(name)?.kind !== "segment") return false;
  const isLater = (other: string) =>
    parseWalName(other)?.kind === "segment" && timelineOf(other) === timelineOf(name) && other > name;
  return (await archive.list()).some((file) => isLater(file.name));
}

function isPaused(settings: Settings): boolean {
  return settings.remote === undefined && existsSync(join(settings.paths.completed, "PAUSE"));
}

/** `boot` was called: the standby is to become a primary. */
function isStopping(settings: Settings): boolean {
  return settings.remote === undefined && existsSync(join(settings.paths.completed, "STOP"));
}

async function noteProgress(settings: Settings): Promise<void> {
  if (settings.remote !== undefined) return;
  await writeFile(join(settings.paths.completed, "PROGRESS"), "1").catch(() => undefined);
}

/** Retention must not remove what this server would need if it started again. Before the first restart point the server
 * gives zeros. */
async function noteRestart(settings: Settings, segment: string | undefined): Promise<void> {
  if (settings.remote !== undefined || segment === undefined || parseWalName(segment)?.kind !== "segment")
    return;
  await writeFile(join(settings.paths.completed, restartFile), segment).catch(() => undefined);
}
