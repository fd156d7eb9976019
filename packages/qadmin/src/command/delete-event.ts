import { deleteEvent } from "@skytools/pgq";
import { list, number, sequence, word, words } from "../grammar/grammar.ts";
import type { ConsoleCommand } from "./command.ts";
import { atomically } from "./command-context.ts";
import { Refusal } from "./refusal.ts";
import { batchOrConsumer, openBatch } from "./show-batch.ts";

/** The seeds' "del-event". */
export const deleteEventCommand: ConsoleCommand = {
  lead: "delete event",
  rest: sequence(list(number("event", "EVENT_ID")), word("from"), words("batch"), batchOrConsumer),
  summary: "take events out of a consumer's open batch; other consumers get them all the same",
  run: async (context, values) => {
    const events = values.all("event");
    const stranger = events.find((event) => !/^\d+$/.test(event));
    if (stranger !== undefined) throw new Refusal(`"${stranger}" is no event id`);
    const batch = await openBatch(context, values);
    await context.confirm(
      `take ${events.length === 1 ? "event" : "events"} ${events.join(", ")} out of batch ${batch}`,
    );
    await context.change(`delete event ${events.join(", ")} from batch ${batch}`, "DELETE", (db) =>
      atomically(db, async () => {
        for (const event of events) await deleteEvent(db, BigInt(batch), BigInt(event));
      }),
    );
  },
};
