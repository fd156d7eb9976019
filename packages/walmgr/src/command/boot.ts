import { type Command, type Job, printJson, UsageError } from "@skytools/skytools";
import { isDryRun } from "../place/dry-run.ts";
import { settingsFor } from "../place/settings.ts";
import { hastenFirstCheckpoint } from "../standby/first-checkpoint.ts";
import { primaryAnswers, promote } from "../standby/promote.ts";
import { WalError } from "../wal/wal-error.ts";

/** Source: spec/walmgr.md 5.7, 7 */
export const bootCommand: Command = {
  name: "boot",
  aliases: ["promote"],
  args: "",
  summary: "let the standby take over as primary",
  pidfile: "none",
  switches: [
    {
      flags: "--force",
      doc: "even while the old primary still answers, and with whatever the standby has replayed",
    },
    {
      flags: "--wait <seconds>",
      doc: "how long to wait for the replay of all WAL, and for the end of recovery",
      default: "300",
    },
  ],
  run: boot,
};

async function boot(job: Job): Promise<void> {
  const settings = settingsFor(job, "standby");
  const seconds = waitSeconds(job);
  if (!job.flag("force") && (await primaryAnswers(job, settings))) {
    throw new WalError("the old primary still answers: with two primaries, one's changes are lost", {
      hint: "Stop it first, or give --force.",
    });
  }
  if (isDryRun(job)) {
    job.stdout.write(
      `write ${settings.paths.completed}/STOP\nwait until all of the archive is replayed\npromote the server on ${settings.path("slave_data")}\n`,
    );
    return;
  }
  const timeline = await promote(job, settings, {
    timeoutSeconds: seconds,
    isForced: job.flag("force"),
  });
  job.log.info(`The standby is a primary now, on timeline ${timeline}`);
  await hastenFirstCheckpoint(job, settings);
  if (job.json) printJson(job.stdout, { timeline });
}

/** @throws UsageError */
function waitSeconds(job: Job): number {
  const text = job.option("wait") ?? "";
  if (!/^\d+(\.\d+)?$/.test(text))
    throw new UsageError(`--wait: "${text}" is not a number of seconds`, { exitCode: 2 });
  return Number(text);
}
