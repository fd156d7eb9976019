import { nameOrAll, optional, sequence, word } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";

export const showConsumerCommand: ConsoleCommand = {
  lead: "show consumer",
  rest: optional(
    nameOrAll("consumer", "CONSUMER", "consumer"),
    optional(sequence(word("on"), nameOrAll("on", "QUEUE", "queue"))),
  ),
  summary: "positions and lag of consumers, on all queues or one",
  run: async (context, values) => {
    const consumer = values.text("consumer");
    const queue = values.text("on");
    const title = `Consumer "${consumer ?? "*"}" on queue "${queue ?? "*"}":`;
    const sql = `select queue_name, consumer_name, lag, last_seen, last_tick, current_batch, next_tick, pending_events
                   from pgq.get_consumer_info($1::text, $2::text)`;
    await context.show(title, sql, [queue, consumer]);
  },
};
