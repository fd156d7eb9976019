import type { Command } from "@skytools/skytools";
import { restoreFile } from "../hook/xrestore.ts";
import { settingsFor } from "../place/settings.ts";

/** Source: spec/walmgr.md 6.2 */
export const xrestoreCommand: Command = {
  name: "xrestore",
  args: "NAME DESTINATION [RESTART-SEGMENT]",
  summary: "fetch a WAL file; the server's restore_command calls it",
  pidfile: "none",
  run: async (job) => {
    const settings = settingsFor(job);
    const [name, destination, restartSegment] = job.args as [string, string, string?];
    return restoreFile(job, settings, name, destination, restartSegment);
  },
};
