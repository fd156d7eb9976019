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
  loop: (job) => {
    const options = workerOptions(job);
    const worker = new ReplayWorker(job, options.queueName);
    return cascadedWorker(job, worker, { ...options, takesEachTick: () => worker.isHandingOver });
  },
};

function workerOptions(job: Job) {
  return {
    targetKey: "db",
    queueName: configuredQueue(job.config),
    consumerName: configuredConsumer(job.config, job.name),
    isNodeWorker: true,
  };
}
