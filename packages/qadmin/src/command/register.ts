import {
  type ConsumerInfo,
  getConsumerInfo,
  registerConsumer,
  registerConsumerAt,
  registerSubconsumer,
} from "@skytools/pgq";
import { choice, name, number, repeat, sequence, value, word } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";
import type { CommandContext } from "./command-context.ts";
import { Refusal } from "./refusal.ts";

/** Source: spec/qadmin.md 5 */
export const registerConsumerCommand: ConsoleCommand = {
  lead: "register consumer",
  rest: sequence(
    name("consumer", "CONSUMER", "consumer"),
    repeat(
      choice(
        sequence(word("on"), name("on", "QUEUE", "queue")),
        sequence(word("copy"), name("copy", "CONSUMER", "consumer")),
        sequence(word("at"), number("at", "TICK_ID")),
      ),
    ),
  ),
  summary: "register a consumer at the newest tick, or put it at a tick or beside another one",
  run: async (context, values) => {
    const queue = context.queue(values.text("on"));
    const consumer = values.required("consumer");
    const [registered] = await getConsumerInfo(context.db, queue, consumer);
    const tick = await wantedTick(context, queue, values.text("at"), values.text("copy"));
    if (tick === undefined) {
      if (registered !== undefined) throw new Refusal("Consumer already registered");
      await context.change(`register consumer ${consumer} on ${queue}`, "REGISTER", async (db) => {
        await registerConsumer(db, queue, consumer);
      });
      return;
    }
    if (registered !== undefined) {
      const from = registered.lastTick === null ? "" : ` from tick ${registered.lastTick}`;
      await context.confirm(`move consumer ${consumer} on queue ${queue}${from} to tick ${tick}`);
    }
    await context.change(
      `register consumer ${consumer} on ${queue} at tick ${tick}`,
      "REGISTER",
      async (db) => {
        await registerConsumerAt(db, queue, consumer, tick);
      },
    );
  },
};

export const registerSubconsumerCommand: ConsoleCommand = {
  lead: "register subconsumer",
  rest: sequence(
    value("subconsumer", "SUBCONSUMER", ["string", "number", "name"]),
    repeat(
      choice(
        sequence(word("on"), name("on", "QUEUE", "queue")),
        sequence(word("for"), name("for", "CONSUMER", "consumer")),
      ),
    ),
  ),
  summary: "make a subconsumer share the work of a consumer",
  run: async (context, values) => {
    const queueName = context.queue(values.text("on"));
    const subconsumerName = values.required("subconsumer");
    const consumerName = values.text("for");
    if (consumerName === undefined) throw new Refusal("No consumer specified");
    const member = { queueName, consumerName, subconsumerName };
    const step = `register subconsumer ${subconsumerName} for ${consumerName} on ${queueName}`;
    const known = await getConsumerInfo(context.db, queueName, `${consumerName}.${subconsumerName}`);
    if (known.length > 0) throw new Refusal("Subconsumer already registered");
    await context.change(step, "REGISTER", async (db) => {
      await registerSubconsumer(db, member);
    });
  },
};

async function wantedTick(
  context: CommandContext,
  queue: string,
  at: string | undefined,
  copied: string | undefined,
): Promise<bigint | undefined> {
  if (at !== undefined) {
    if (!/^\d+$/.test(at)) throw new Refusal(`"${at}" is no tick id`);
    return BigInt(at);
  }
  if (copied === undefined) return undefined;
  const [info] = await getConsumerInfo(context.db, queue, copied);
  const tick = info === undefined ? null : tickOf(info);
  if (tick === null) throw new Refusal(`Consumer ${copied} is not registered on queue ${queue}`);
  return tick;
}

/** A batch that is open counts as done. */
function tickOf({ nextTick, lastTick }: ConsumerInfo): bigint | null {
  return nextTick ?? lastTick;
}
