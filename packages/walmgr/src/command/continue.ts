import type { Command } from "@skytools/skytools";
import { isOnlyTold } from "../place/dry-run.ts";
import { settingsFor } from "../place/settings.ts";
import { setFlag, setReplay } from "../standby/replay-control.ts";

/** Source: spec/walmgr.md 5.8 */
export const continueCommand: Command = {
  name: "continue",
  args: "",
  summary: "let the standby go on replaying",
  pidfile: "none",
  run: async (job) => {
    const settings = settingsFor(job, "standby");
    if (isOnlyTold(job, `remove ${settings.paths.completed}/PAUSE`, "continue the replay of the standby"))
      return;
    await setFlag(settings, "PAUSE", false);
    const state = await setReplay(job, settings, false);
    job.log.info(`Replay is ${state ?? "not paused"}`);
  },
};
