import { registerConsumer, unregisterConsumer } from "@skytools/pgq";
import { type Command, dryRunSwitch } from "@skytools/skytools";
import { makeChange } from "../change.ts";
import { requireQueues } from "../require-queues.ts";

export const registerCommand: Command = {
  name: "register",
  args: "<QUEUE> <CONSUMER>",
  summary: "register a consumer on a queue, at its newest tick",
  pidfile: "none",
  switches: [dryRunSwitch],
  async run(job) {
    const [queueName, consumerName] = job.args as [string, string];
    await makeChange(job, `register consumer ${consumerName} on queue ${queueName}`, async (db) => {
      await requireQueues(db, queueName);
      return (await registerConsumer(db, queueName, consumerName))
        ? `consumer ${consumerName} registered on queue ${queueName}`
        : `consumer ${consumerName} is registered on queue ${queueName} already`;
    });
  },
};

export const unregisterCommand: Command = {
  name: "unregister",
  args: "<QUEUE> <CONSUMER>",
  summary: "remove a consumer from a queue; its position is forgotten",
  pidfile: "none",
  switches: [dryRunSwitch],
  async run(job) {
    const [queueName, consumerName] = job.args as [string, string];
    await makeChange(job, `unregister consumer ${consumerName} from queue ${queueName}`, async (db) => {
      await requireQueues(db, queueName);
      return (await unregisterConsumer(db, queueName, consumerName)) > 0
        ? `consumer ${consumerName} unregistered from queue ${queueName}`
        : `consumer ${consumerName} was not registered on queue ${queueName}`;
    });
  },
};
