import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "@skytools/skytools";
import { isOnlyTold } from "../place/dry-run.ts";
import { settingsFor } from "../place/settings.ts";
import { setReplay } from "../standby/replay-control.ts";

/** Source: spec/walmgr.md 5.8 */
export const continueCommand: Command = {
  name: "continue",
  args: "",
  summary: "let the standby go on replaying",
  pidfile: "none",
  run: async (job) => {
    const settings = settingsFor(job, "standby");
    const file = join(settings.paths.completed, "PAUSE");
    if (isOnlyTold(job, `remove ${file}`, "continue the replay of the standby")) return;
    await rm(file, { force: true });
    const state = await setReplay(job, settings, false);
    job.log.info(`Replay is ${state ?? "not paused"}`);
  },
};
