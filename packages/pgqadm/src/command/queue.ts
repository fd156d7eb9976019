import { createQueue, dropQueue } from "@skytools/pgq";
import { type Command, dryRunSwitch } from "@skytools/skytools";
import { makeChange } from "../change.ts";
import { requireQueues } from "../require-queues.ts";

export const createCommand: Command = {
  name: "create",
  args: "<QUEUE>",
  summary: "create a queue",
  pidfile: "none",
  switches: [dryRunSwitch],
  async run(job) {
    const queueName = job.args[0]!;
    await makeChange(job, `create queue ${queueName}`, async (db) =>
      (await createQueue(db, queueName)) ? `queue ${queueName} created` : `queue ${queueName} exists already`,
    );
  },
};

export const dropCommand: Command = {
  name: "drop",
  args: "<QUEUE>",
  summary: "drop a queue with its events",
  pidfile: "none",
  switches: [dryRunSwitch, { flags: "--force", doc: "also when it has consumers" }],
  async run(job) {
    const queueName = job.args[0]!;
    await makeChange(job, `drop queue ${queueName}`, async (db) => {
      await requireQueues(db, queueName);
      await dropQueue(db, queueName, job.flag("force"));
      return `queue ${queueName} dropped`;
    });
  },
};
