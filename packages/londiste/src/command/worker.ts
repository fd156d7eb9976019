import {
  cascadedWorker,
  configuredConsumer,
  configuredQueue,
  repositionSwitches,
} from "@skytools/pgq/cascade";
import type { Command, Job } from "@skytools/skytools";
import { ReplayWorker } from "../replay/replay-worker.ts";

/** Source: spec/londiste.md section 2 */
export const workerCommand: Command = {
  name: "worker",
  aliases: ["replay"],
  args: "",
  summary: "run the node: replay events, copy tables, publish sequences and watermarks",
  pidfile: "own",
  startupSwitches: repositionSwitches(workerOptions),
  loop: (job) => cascadedWorker(job, new ReplayWorker(job), workerOptions(job)),
};

function workerOptions(job: Job) {
  return {
    targetKey: "db",
    queueName: configuredQueue(job.config),
    consumerName: configuredConsumer(job.config, job.name),
    isNodeWorker: true,
  };
}
