import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "./process-identity.ts";

/** Run directories are named so, with a random end. */
export const runPrefix = "skyt-";
export const ownerFile = "owner.json";

/** Written into every run directory: whose it is, and whether it may be swept when that process is gone. */
export interface RunOwner extends ProcessIdentity {
  /** "failed": logs of a failed run, swept after a day. "forever": only its user removes it. */
  readonly keep?: "failed" | "forever";
}

export function writeOwner(runPath: string, owner: RunOwner): void {
  writeFileSync(join(runPath, ownerFile), JSON.stringify(owner));
}

/** The owner's record of a run directory, or undefined while there is none. */
export function readOwner(runPath: string): RunOwner | undefined {
  try {
    return JSON.parse(readFileSync(join(runPath, ownerFile), "utf8")) as RunOwner;
  } catch {
    return undefined;
  }
}
