import { type Command, UsageError } from "@skytools/skytools";
import { settingsFor } from "../place/settings.ts";
import { WalReceiver } from "../receive/wal-receiver.ts";

/** Source: spec/walmgr.md 5.10, 12.3 */
export const syncdaemonCommand: Command = {
  name: "syncdaemon",
  aliases: ["receive"],
  args: "",
  summary: "stream WAL into the archive, up to the last byte that the primary has flushed",
  pidfile: "own",
  loop: (job) => {
    const settings = settingsFor(job);
    if (settings.remote !== undefined) {
      throw new UsageError(`the archive is on ${settings.remote.host}: the receiver runs there`, {
        hint: "Set receive_conninfo in the configuration file of that host.",
      });
    }
    return new WalReceiver(job, settings);
  },
};
