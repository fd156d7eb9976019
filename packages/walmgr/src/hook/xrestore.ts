import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Job, SkytoolsError } from "@skytools/skytools";
import type { Archive } from "../archive/archive.ts";
import { fetchFile } from "../archive/fetch-file.ts";
import { type Engine, engineOf } from "../engine/engine.ts";
import type { Settings } from "../place/settings.ts";
import { hookExit } from "../wal/wal-error.ts";
import { parseWalName, timelineOf } from "../wal/wal-name.ts";
import { fetchAhead } from "./fetch-ahead.ts";

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
    const answer = await tryOnce(job, settings, kind, { name, destination, restartSegment });
    if (answer === "found") return hookExit.done;
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

interface Wanted {
  readonly name: string;
  readonly destination: string;
  readonly restartSegment: string | undefined;
}

async function tryOnce(job: Job, settings: Settings, kind: RecoveryKind, wanted: Wanted): Promise<Answer> {
  const { name } = wanted;
  const engine = engineOf(settings);
  if (engine !== undefined) return tryEngine(engine, wanted);
  const archive = settings.openArchive();
  try {
    if (await archive.hasFlag("PAUSE")) return "wait";
    if (!(await fetchFile(archive, name, wanted.destination))) {
      if (kind === "recovery" && (await isGap(archive, name))) {
        job.log.error(`${name} is missing, but later segments are there: the recovery stops here`);
        return "damaged";
      }
      // A begun segment is the end of what there is: only a server that will go on by itself may have it.
      const acceptsPartial = kind === "recovery" || (await archive.hasFlag("STOP"));
      if (!acceptsPartial || !(await fetchFile(archive, name, wanted.destination, { acceptsPartial })))
        return "absent";
    } else await fetchAhead(job, settings, archive, name, wanted.destination);
    job.log.debug(`${name}: delivered`);
    await archive
      .noteDelivery(wanted.restartSegment)
      .catch((error: unknown) => job.log.warn(`${archive.place}: ${String(error)}`));
    return "found";
  } catch (error) {
    job.log.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof SkytoolsError && error.exitCode === hookExit.foreign ? "damaged" : "trouble";
  } finally {
    await archive.close();
  }
}

/** Engines say "not there" by one exit code; all others could mean anything. */
function tryEngine(engine: Engine, { name, destination }: Wanted): Answer {
  const { commands } = engine;
  const code = engine.run(commands.archiveGet(name, destination));
  if (code === 0) return "found";
  return code === commands.absentCode ? "absent" : "trouble";
}

/** Whether recovery would end in the middle of what the archive has of a timeline. */
async function isGap(archive: Archive, name: string): Promise<boolean> {
  if (parseWalName(name)?.kind !== "segment") return false;
  const isLater = (other: string) =>
    parseWalName(other)?.kind === "segment" && timelineOf(other) === timelineOf(name) && other > name;
  return (await archive.list()).some((file) => isLater(file.name));
}
