import { encodingArgument, repairsText } from "./encoding-argument.ts";
import type { EventSink, HandledTable, Handler, HandlerBatch } from "./handler.ts";
import { ignoresTruncate, ignoreTruncateArgument } from "./truncate-argument.ts";

/** Source: spec/londiste.md 12.2 */
export const londisteHandler: Handler = {
  name: "londiste",
  summary: "repeats on the local table what happened to the source's",
  doc: "The default. Batches are applied as sets where that is sure to give what event by event gives.",
  arguments: [ignoreTruncateArgument, encodingArgument],
  create: (table) => ({
    ignoresTruncate: ignoresTruncate(table),
    ...(repairsText(table) ? { repairsText: true, open: (batch) => repeated(batch, table) } : {}),
  }),
};

/** Events as they are, once they are text. */
function repeated(batch: HandlerBatch, { destination }: HandledTable): EventSink {
  return {
    row: async (event) => {
      const { operation, key } = event;
      await batch.change(event, destination, { operation, key, row: event.row() });
    },
    flush: async () => {},
  };
}
