import { getConsumerInfo } from "@skytools/pgq";
import { choice, name, number, optional, sequence, word } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandValues } from "./command-values.ts";
import { Refusal } from "./refusal.ts";

/** An open batch by its number, or the one that a consumer has open. */
export const batchOrConsumer = choice(
  number("batch", "BATCH_ID", "batch"),
  sequence(name("consumer", "CONSUMER", "consumer"), optional(word("on"), name("on", "QUEUE", "queue"))),
);

const limit = optional(word("limit"), number("limit", "COUNT"));

/** Source: spec/qadmin.md 5 */
export const showBatchCommand: ConsoleCommand = {
  lead: "show batch",
  rest: sequence(batchOrConsumer, limit),
  summary: "events of an open batch",
  run: async (context, values) => {
    const batch = await openBatch(context, values);
    await showEvents(context, "pgq.get_batch_events($1::int8)", [batch], values);
  },
};

/** Looks at the next batch too, which the original did not. */
export const showBatchEventsCommand: ConsoleCommand = {
  lead: "show batch events",
  rest: sequence(batchOrConsumer, limit),
  summary: "the same; of a consumer without open batch: what it would get next",
  run: async (context, values) => {
    if (values.has("batch")) {
      await showEvents(context, "pgq.get_batch_events($1::int8)", [values.required("batch")], values);
      return;
    }
    const parameters = [context.queue(values.text("on")), values.required("consumer")];
    await showEvents(context, "pgq.show_batch_events($1, $2)", parameters, values);
  },
};

export const showBatchInfoCommand: ConsoleCommand = {
  lead: "show batch info",
  rest: batchOrConsumer,
  summary: "whose batch it is, its ticks and its age",
  run: async (context, values) => {
    const batch = await openBatch(context, values);
    const sql = "select * from pgq.get_batch_info($1::int8) where queue_name is not null";
    await context.show(`Batch "${batch}":`, sql, [batch]);
  },
};

async function showEvents(
  context: CommandContext,
  source: string,
  parameters: readonly string[],
  values: CommandValues,
): Promise<void> {
  const count = values.text("limit");
  const limited = count === undefined ? "" : ` limit $${parameters.length + 1}::int8`;
  await context.show(undefined, `select * from ${source} order by ev_id${limited}`, [
    ...parameters,
    ...(count === undefined ? [] : [count]),
  ]);
}

/** The number of the batch that is meant.
 * @throws Refusal when the consumer has none */
export async function openBatch(context: CommandContext, values: CommandValues): Promise<string> {
  if (values.has("batch")) return values.required("batch");
  const queue = values.text("on") ?? context.session.queue;
  if (queue === undefined) throw new Refusal("No default queue");
  const [info] = await getConsumerInfo(context.db, queue, values.required("consumer"));
  if (info === undefined) throw new Refusal("no such consumer");
  if (info.currentBatch === null) throw new Refusal("consumer has no open batch");
  return String(info.currentBatch);
}
