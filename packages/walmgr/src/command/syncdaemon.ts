import type { Command } from "@skytools/skytools";
import { settingsWithArchive } from "../place/settings.ts";
import { WalReceiver } from "../receive/wal-receiver.ts";

/** Source: spec/walmgr.md 5.10, 12.3 */
export const syncdaemonCommand: Command = {
  name: "syncdaemon",
  aliases: ["receive"],
  args: "",
  summary: "stream WAL into the archive, up to the last byte that the primary has flushed",
  pidfile: "own",
  loop: (job) => new WalReceiver(job, settingsWithArchive(job)),
};
