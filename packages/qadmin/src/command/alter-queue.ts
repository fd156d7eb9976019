import { getQueueInfo, setQueueConfig } from "@skytools/pgq";
import { choice, list, nameOrAll, number, sequence, setting, text, word } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";
import { atomically } from "./command-context.ts";
import { Refusal } from "./refusal.ts";

const options = ["idle_period", "max_count", "max_lag", "paused"];

/** Source: spec/qadmin.md 5; all settings or none of them are changed */
export const alterQueueCommand: ConsoleCommand = {
  lead: "alter queue",
  rest: sequence(
    nameOrAll("queue", "QUEUE", "queue"),
    word("set"),
    list(
      choice(
        setting("idle_period", text("idle_period", "INTERVAL")),
        setting("max_count", number("max_count", "COUNT")),
        setting("max_lag", text("max_lag", "INTERVAL")),
        setting("paused", number("paused", "0|1")),
      ),
    ),
  ),
  summary: "set when a queue is ticked",
  run: async (context, values) => {
    const queues = (await getQueueInfo(context.db, values.text("queue"))).map(({ queueName }) => queueName);
    if (queues.length === 0 && !values.isAll("queue")) throw new Refusal("queue not found");
    const settings = options
      .filter((key) => values.has(key))
      .map((key) => [key, values.required(key)] as const);
    const step = `set ${settings.map(([key, value]) => `ticker_${key}=${value}`).join(", ")} of ${queues.join(", ")}`;
    await context.change(step, "ALTER", (db) =>
      atomically(db, async () => {
        for (const queue of queues) {
          for (const [key, value] of settings) await setQueueConfig(db, queue, `ticker_${key}`, value);
        }
      }),
    );
  },
};
