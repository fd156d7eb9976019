import { basename, dirname, join } from "node:path";
import { type Job, ProgressDisplay, ReplicationConnection, removePath } from "@skytools/skytools";
import { pumpBackup } from "../backup/pump-backup.ts";
import type { BackupSet } from "../backup/set-info.ts";
import { LocalSetStore } from "../backup/set-store.ts";
import { SetWriter } from "../backup/set-writer.ts";
import { askServer } from "../place/server-facts.ts";
import { refuseOccupied } from "../restore/left-over.ts";
import { freeName, restoringPath } from "../restore/restore-plan.ts";
import { occupiedHint, restoreSet } from "../restore/restore-set.ts";
import type { ServerSettings } from "../restore/server-settings.ts";

/** Makes a standby's data directory straight from a server; the old directory is set aside when the new one is complete.
 * @throws DatabaseError, WalError; nothing has changed then */
export async function cloneServer(
  job: Job,
  conninfo: string,
  dataDirectory: string,
  serverSettings: ServerSettings,
): Promise<void> {
  const connection = await ReplicationConnection.open(conninfo, { applicationName: "walmgr clone" });
  const path = join(dirname(dataDirectory), `.${basename(dataDirectory)}.clone`);
  const writer = new SetWriter(path, "none");
  const display = new ProgressDisplay({ line: (text) => job.log.info(text) });
  try {
    const facts = await askServer(connection);
    await writer.begin();
    const tracker = display.add("clone");
    const startTime = new Date().toISOString();
    const range = await pumpBackup(
      connection,
      {
        label: `Clone ${startTime}`,
        checkpoint: "fast",
        maxRate: 0,
        includesWal: true,
        isIncremental: false,
      },
      writer,
      {
        onBytes: (bytes) => tracker.update({ bytes }),
        // Not after hours of copying.
        onParts: (parts) => {
          for (const { location } of parts)
            if (location !== undefined) refuseOccupied(restoringPath(dataDirectory), location, occupiedHint);
        },
      },
    );
    const info = await writer.finish(
      {
        ...facts,
        label: "clone",
        includesWal: true,
        basedOn: undefined,
        startTime,
        walmgrVersion: job.program.version,
      },
      range,
    );
    tracker.end();
    const set: BackupSet = { name: basename(path), path, info };
    const tablespaces = new Map(info.tablespaces.map(({ oid, location }) => [oid, location]));
    await restoreSet(
      job,
      { chain: [set], dataDirectory, setAside: freeName(dataDirectory), tablespaces },
      {
        serverSettings,
        signalFile: "standby.signal",
        walDirectory: "",
        deletesOld: false,
        sets: new LocalSetStore(path),
      },
    );
  } finally {
    display.stop();
    connection.close();
    await removePath(path, { recursive: true, force: true });
  }
}
