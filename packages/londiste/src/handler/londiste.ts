import { encodingArgument, openRepairing, repairRow } from "./encoding-argument.ts";
import type { Handler } from "./handler.ts";
import { ignoresTruncate, ignoreTruncateArgument } from "./truncate-argument.ts";

/** Source: spec/londiste.md 12.2 */
export const londisteHandler: Handler = {
  name: "londiste",
  summary: "repeats on the local table what happened to the source's",
  doc: "The default. Batches are applied as sets where that is sure to give what event by event gives.",
  arguments: [ignoreTruncateArgument, encodingArgument],
  create: (table) => ({
    ignoresTruncate: ignoresTruncate(table),
    ...(table.arguments.get("encoding") === "utf8"
      ? { open: (batch) => openRepairing(batch, table), copyRow: repairRow }
      : {}),
  }),
};
