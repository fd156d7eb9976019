import { type Command, UsageError } from "@skytools/skytools";
import { isOnlyTold } from "../place/dry-run.ts";
import { settingsWithArchive } from "../place/settings.ts";
import { shipPartial } from "../receive/ship-partial.ts";
import { parseWalName } from "../wal/wal-name.ts";

/** Source: spec/walmgr.md 5.15 */
export const xpartialsyncCommand: Command = {
  name: "xpartialsync",
  args: "NAME OFFSET BYTES",
  summary: "write the bytes on standard input into a begun segment",
  pidfile: "none",
  run: async (job) => {
    if (isOnlyTold(job, "write into the begun segment")) return;
    const settings = settingsWithArchive(job, "standby");
    const [name, offset, bytes] = job.args as [string, string, string];
    if (parseWalName(name)?.kind !== "segment")
      throw new UsageError(`"${name.slice(0, 80)}" is not the name of a segment`);
    if (!/^\d{1,10}$/.test(offset) || !/^\d{1,10}$/.test(bytes))
      throw new UsageError("offset and bytes are numbers");
    await shipPartial(settings, { name, offset: Number(offset), bytes: Number(bytes), input: process.stdin });
  },
};
