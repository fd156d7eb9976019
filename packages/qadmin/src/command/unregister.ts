import { getConsumerInfo, unregisterConsumer, unregisterSubconsumer } from "@skytools/pgq";
import { choice, name, nameOrAll, optional, sequence, symbol, value, word } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";
import { atomically } from "./command-context.ts";

/** Source: spec/qadmin.md 5 */
export const unregisterConsumerCommand: ConsoleCommand = {
  lead: "unregister consumer",
  rest: sequence(
    nameOrAll("consumer", "CONSUMER", "consumer"),
    optional(word("from"), name("from", "QUEUE", "queue")),
  ),
  summary: "remove a consumer, or all of them; their positions are forgotten",
  run: async (context, values) => {
    const queue = context.queue(values.text("from"));
    const known = await getConsumerInfo(context.db, queue, values.text("consumer"));
    const consumers = known.map(({ consumerName }) => consumerName);
    if (consumers.length > 0) {
      await context.confirm(
        `unregister ${consumers.join(", ")} from queue ${queue}; their positions are forgotten`,
      );
    }
    await context.change(`unregister ${consumers.join(", ")} from ${queue}`, "UNREGISTER", (db) =>
      atomically(db, async () => {
        for (const consumer of consumers) await unregisterConsumer(db, queue, consumer);
      }),
    );
  },
};

export const unregisterSubconsumerCommand: ConsoleCommand = {
  lead: "unregister subconsumer",
  rest: sequence(
    choice(symbol("*", "subconsumer"), value("subconsumer", "SUBCONSUMER", ["string", "number", "name"])),
    word("for"),
    name("for", "CONSUMER", "consumer"),
    optional(word("from"), name("from", "QUEUE", "queue")),
    optional(word("close", "close"), optional(word("batch"))),
  ),
  summary: "remove a subconsumer, or all of them; close: also when it has a batch, whose events are lost",
  run: async (context, values) => {
    const queueName = context.queue(values.text("from"));
    const consumerName = values.required("for");
    const known = (await getConsumerInfo(context.db, queueName))
      .filter((info) => info.consumerName.startsWith(`${consumerName}.`))
      .map((info) => info.consumerName.slice(consumerName.length + 1));
    const wanted = values.text("subconsumer");
    const members = wanted === undefined ? known : known.filter((member) => member === wanted);
    const isClosing = values.has("close");
    if (members.length > 0) {
      const loss = isClosing ? "; events of their open batches are lost" : "";
      await context.confirm(
        `unregister ${members.join(", ")} of consumer ${consumerName} from queue ${queueName}${loss}`,
      );
    }
    const step = `unregister ${members.join(", ")} of ${consumerName} from ${queueName}`;
    await context.change(step, "UNREGISTER", (db) =>
      atomically(db, async () => {
        for (const subconsumerName of members) {
          await unregisterSubconsumer(db, { queueName, consumerName, subconsumerName }, isClosing);
        }
      }),
    );
  },
};
