import { join } from "node:path";
import { openForWriting, syncDirectory } from "../archive/durable-file.ts";

/** `standby.signal`: follow; `recovery.signal`: recover, then go on alone */
export type SignalFile = "standby.signal" | "recovery.signal";

/** Tells a server that does not run yet how to start, and brings that to the disk: without it, it would take its data for those of a
 * server that has crashed, and go on as a primary from a point in their middle.
 * Source: PostgreSQL manual, "Archive Recovery" */
export async function writeSignalFile(dataDirectory: string, name: SignalFile): Promise<void> {
  const handle = await openForWriting(join(dataDirectory, name));
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(dataDirectory);
}
