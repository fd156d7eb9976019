import type { Command } from "@skytools/skytools";
import { dropAhead } from "../hook/fetch-ahead.ts";
import { isOnlyTold } from "../place/dry-run.ts";
import { settingsFor } from "../place/settings.ts";
import { setFlag, setReplay } from "../standby/replay-control.ts";

/** Source: spec/walmgr.md 5.8 */
export const pauseCommand: Command = {
  name: "pause",
  args: "",
  summary: "let the standby stop replaying",
  pidfile: "none",
  run: async (job) => {
    const settings = settingsFor(job, "standby");
    if (isOnlyTold(job, `write ${settings.paths.completed}/PAUSE`, "pause the replay of the standby")) return;
    await setFlag(settings, "PAUSE", true);
    // The archive of another host cannot stop a server from taking what it fetched before.
    if (settings.has("slave_data")) await dropAhead(settings.path("slave_data"));
    const state = await setReplay(job, settings, true);
    job.log.info(`Replay is ${state ?? "paused between segments"}`);
  },
};
