import type { PgqEvent } from "@skytools/pgq";
import { SkytoolsError, urlDecodeRow, urlEncodeRow } from "@skytools/skytools";
import { classifyEventType } from "../apply/event-kind.ts";
import type { HandledTable, Handler, TableHandler } from "./handler.ts";
import { type Obfuscation, obfuscateJson, obfuscateRow } from "./obfuscation/obfuscation.ts";
import { loadObfuscationMap } from "./obfuscation/obfuscation-map.ts";
import { ignoresTruncate, ignoreTruncateArgument } from "./truncate-argument.ts";

/** Source: spec/londiste.md 12.8 */
export const obfuscateHandler: Handler = {
  name: "obfuscate",
  summary: "hides what the values of columns are, here and for all nodes behind",
  doc: `obfuscator_map names a YAML file: table, column, action. Actions: keep; skip, which is the default of columns that are not
named; bool; hash, hash32, hash64, keyed with obfuscator_key; or a map of the same kind for the members of a JSON column.`,
  arguments: [ignoreTruncateArgument],
  create: (table) => obfuscatedTable(table, loadObfuscationMap(table.config, table.name)),
};

function obfuscatedTable(table: HandledTable, obfuscation: Obfuscation): TableHandler {
  return {
    isComplete: false,
    ignoresTruncate: ignoresTruncate(table),
    copyColumn: (column) => (obfuscation.isKnown(column) ? column : undefined),
    copyRow: (row) => obfuscateRow(obfuscation, row),
    forward: async () => (event) => forwarded(table, obfuscation, event),
    open: (batch) => ({
      row: async (event) => {
        const row = obfuscateRow(obfuscation, event.row());
        await batch.change(event, table.destination, { operation: event.operation, key: event.key, row });
      },
      flush: async () => {},
    }),
  };
}

/** The event with its data changed. The old row that a trigger with `backup` puts into extra2 does not go on. */
function forwarded(table: HandledTable, obfuscation: Obfuscation, event: PgqEvent): PgqEvent {
  const kind = classifyEventType(event.type);
  if (kind.kind !== "row") return event;
  if (kind.format === "sql") {
    throw new SkytoolsError("OBFUSCATE", `sql trigger not supported: ${table.name} (event ${event.id})`, {
      retry: "later",
    });
  }
  const data = event.data ?? "";
  return {
    ...event,
    extra2: null,
    data: data.startsWith("{")
      ? obfuscateJson(obfuscation, data)
      : urlEncodeRow(obfuscateRow(obfuscation, urlDecodeRow(data))),
  };
}
