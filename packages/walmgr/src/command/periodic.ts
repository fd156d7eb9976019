import type { Command } from "@skytools/skytools";
import { runPeriodic, whyNotPeriodic } from "../hook/periodic.ts";
import { isOnlyTold } from "../place/dry-run.ts";
import { settingsFor } from "../place/settings.ts";

/** Source: spec/walmgr.md 5.11 */
export const periodicCommand: Command = {
  name: "periodic",
  args: "",
  summary: "run periodic_command if it is due",
  pidfile: "none",
  run: async (job) => {
    const settings = settingsFor(job, "primary");
    const reason = await whyNotPeriodic(settings);
    if (reason !== undefined) {
      job.log.info(`Nothing to do: ${reason}`);
      return;
    }
    if (isOnlyTold(job, `run ${settings.config.get("periodic_command")}`)) return;
    await runPeriodic(job, settings);
  },
};
