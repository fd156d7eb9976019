import { createQueue, dropQueue, getConsumerInfo, getQueueInfo, renameQueue } from "@skytools/pgq";
import { name, optional, sequence, word } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";
import { Refusal } from "./refusal.ts";

const queueName = name("queue", "QUEUE", "queue");

export const createQueueCommand: ConsoleCommand = {
  lead: "create queue",
  rest: queueName,
  summary: "create a queue",
  run: async (context, values) => {
    const queue = values.required("queue");
    await context.change(`create queue ${queue}`, "CREATE", async (db) => {
      if (!(await createQueue(db, queue))) throw new Refusal("Queue already exists");
    });
  },
};

/** With FORCE consumers go too, which the original did not offer. */
export const dropQueueCommand: ConsoleCommand = {
  lead: "drop queue",
  rest: sequence(queueName, optional(word("force", "force"))),
  summary: "drop a queue with its events; force: although it has consumers",
  run: async (context, values) => {
    const queue = values.required("queue");
    const isForced = values.has("force");
    const [info] = await getQueueInfo(context.db, queue);
    if (info === undefined) throw new Refusal("queue not found");
    const consumers = (await getConsumerInfo(context.db, queue)).map(({ consumerName }) => consumerName);
    // The server refuses to drop a queue that is read: then there is nothing to ask.
    if (isForced || consumers.length === 0) {
      const more = consumers.length === 0 ? "" : ` and its consumers (${consumers.join(", ")})`;
      await context.confirm(`drop queue ${queue} with all its events${more}`);
    }
    await context.change(`drop queue ${queue}${isForced ? " force" : ""}`, "DROP", (db) =>
      dropQueue(db, queue, isForced),
    );
  },
};

/** The seeds' "queue-rename". */
export const renameQueueCommand: ConsoleCommand = {
  lead: "alter queue",
  rest: sequence(queueName, word("rename"), word("to"), name("to", "NEW_NAME")),
  summary: "rename a queue that no cascade and no trigger uses; its consumers must use the new name",
  run: async (context, values) => {
    const queue = values.required("queue");
    const to = values.required("to");
    if ((await getQueueInfo(context.db, queue)).length === 0) throw new Refusal("queue not found");
    const consumers = await getConsumerInfo(context.db, queue);
    if (consumers.length > 0) {
      const names = consumers.map(({ consumerName }) => consumerName).join(", ");
      await context.confirm(
        `rename queue ${queue} to ${to}: its consumers (${names}) fail until they use the new name`,
      );
    }
    await context.change(`rename queue ${queue} to ${to}`, "ALTER", async (db) => {
      await renameQueue(db, queue, to);
      if (context.session.queue === queue) context.session.queue = to;
    });
  },
};
