import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { renameFile } from "@skytools/skytools";
import { openForWriting } from "../archive/durable-file.ts";

/** What a receiver notes about itself, for `status` and `check`. */
export interface ReceiverState {
  readonly pid: number;
  readonly timeline: number;
  /** everything before it is on the disk */
  readonly flushedLsn: string;
  /** when the server's end was reached last: up to then nothing would be lost */
  readonly caughtUpAt: string | undefined;
  readonly updatedAt: string;
}

const fileName = "RECEIVER";

/** Not synced: a lost note is made again within a second. */
export async function writeReceiverState(partialWals: string, state: ReceiverState): Promise<void> {
  const path = join(partialWals, fileName);
  const draft = await openForWriting(`${path}.tmp`);
  try {
    await draft.append(JSON.stringify(state));
  } finally {
    await draft.close();
  }
  await renameFile(`${path}.tmp`, path);
}

/** @returns undefined when no receiver ever worked here */
export function readReceiverState(partialWals: string): ReceiverState | undefined {
  const path = join(partialWals, fileName);
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ReceiverState;
  } catch {
    return undefined;
  }
}
