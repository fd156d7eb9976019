import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, resolve } from "node:path";
import { WalError } from "../wal/wal-error.ts";

/** A killed call may have left its pg_rewind, which writes into whatever data directory has the path.
 * @throws WalError while there is one. Where processes cannot be looked at nothing is known */
export function refuseRewinding(dataDirectory: string): void {
  const pid = rewindingProcess(dataDirectory);
  if (pid === undefined) return;
  throw new WalError(`pg_rewind of an earlier call (pid ${pid}) is still at work on ${dataDirectory}`, {
    hint: "Wait for its end, or end it, and call again.",
  });
}

function rewindingProcess(dataDirectory: string): string | undefined {
  const wanted = realPath(dataDirectory);
  return processes().find((pid) => {
    const words = commandLine(pid);
    const at = words.indexOf("-D");
    if (at < 1 || !words.slice(0, at).some((word) => basename(word) === "pg_rewind")) return false;
    return realPath(resolve(`/proc/${pid}/cwd`, words[at + 1] ?? "")) === wanted;
  });
}

function processes(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** No words: it has ended meanwhile, or is not to be seen. */
function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
