import { join } from "node:path";
import type { Job } from "@skytools/skytools";
import { createDirectorySync, removePath } from "@skytools/skytools";
import { syncTree } from "../archive/sync-tree.ts";
import { freeName, restoringPath } from "../restore/restore-plan.ts";
import { takePlace } from "../restore/restore-set.ts";
import { type ServerSettings, writeAutoConf } from "../restore/server-settings.ts";
import { writeSignalFile } from "../restore/signal-file.ts";
import { WalError } from "../wal/wal-error.ts";
import type { Engine } from "./engine.ts";
import type { EngineRestore } from "./engine-commands.ts";

export interface EngineRestoreOptions extends EngineRestore {
  readonly serverSettings: ServerSettings;
  readonly deletesOld: boolean;
}

/** Lets an engine put a data directory together beside its place; how the server recovers is written by us, whatever the engine
 * writes: the server asks walmgr for WAL, which tells "not there" from "cannot tell" for every engine.
 * @throws WalError; the old data directory is as it was then */
export async function restoreWithEngine(
  job: Job,
  engine: Engine,
  options: EngineRestoreOptions,
): Promise<void> {
  const { dataDirectory, isStandby } = options;
  const fresh = restoringPath(dataDirectory);
  await removePath(fresh, { recursive: true, force: true });
  createDirectorySync(fresh, { recursive: true, mode: 0o700 });
  try {
    const code = engine.run(engine.commands.restore({ ...options, dataDirectory: fresh }));
    if (code !== 0)
      throw new WalError(`${engine.name} could not restore (exit code ${code}): nothing was changed`);
    await writeAutoConf(fresh, options.serverSettings);
    for (const name of ["recovery.signal", "standby.signal"])
      await removePath(join(fresh, name), { force: true });
    await syncTree(fresh);
    await writeSignalFile(fresh, isStandby ? "standby.signal" : "recovery.signal");
    const setAside = freeName(dataDirectory);
    await takePlace(job, fresh, { dataDirectory, setAside }, options.deletesOld);
  } finally {
    await removePath(fresh, { recursive: true, force: true });
  }
}
