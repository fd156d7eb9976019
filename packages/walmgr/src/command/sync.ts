import { join } from "node:path";
import type { Command } from "@skytools/skytools";
import { isOnlyTold } from "../place/dry-run.ts";
import { settingsFor } from "../place/settings.ts";
import { findRest, shipRest } from "../receive/ship-rest.ts";

/** Source: spec/walmgr.md 5.9 */
export const syncCommand: Command = {
  name: "sync",
  args: "",
  summary: "copy all WAL that the archive does not have yet, also of a server that is down",
  pidfile: "own",
  run: async (job) => {
    const settings = settingsFor(job, "primary");
    const walDirectory = join(settings.dataDirectory(), "pg_wal");
    const archive = settings.openArchive();
    try {
      const rest = await findRest(walDirectory, archive);
      const begun = rest.begun === undefined ? [] : [`copy the begun segment ${rest.begun}`];
      if (isOnlyTold(job, ...rest.finished.map((name) => `archive ${name}`), ...begun)) return;
      await shipRest(settings, walDirectory, archive, rest);
      job.log.info(`Archived ${rest.finished.length} files; begun segment: ${rest.begun ?? "none"}`);
    } finally {
      await archive.close();
    }
  },
};
