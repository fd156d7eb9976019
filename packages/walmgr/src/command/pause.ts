import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "@skytools/skytools";
import { isOnlyTold } from "../place/dry-run.ts";
import { settingsFor } from "../place/settings.ts";
import { setReplay } from "../standby/replay-control.ts";

/** Source: spec/walmgr.md 5.8 */
export const pauseCommand: Command = {
  name: "pause",
  args: "",
  summary: "let the standby stop replaying",
  pidfile: "none",
  run: async (job) => {
    const settings = settingsFor(job, "standby");
    const file = join(settings.paths.completed, "PAUSE");
    if (isOnlyTold(job, `write ${file}`, "pause the replay of the standby")) return;
    await writeFile(file, "1");
    const state = await setReplay(job, settings, true);
    job.log.info(`Replay is ${state ?? "paused between segments"}`);
  },
};
