import { urlDecodeRow } from "@skytools/skytools";
import type { EventSink, HandledTable, HandlerArgument, HandlerBatch, Row, RowEvent } from "./handler.ts";

/** For sources whose encoding is SQL_ASCII, which store any bytes. */
export const encodingArgument: HandlerArgument = {
  name: "encoding",
  doc: "utf8: bytes that are not UTF-8 become U+FFFD instead of stopping replay",
  choices: ["utf8"],
};

const replacement = "\ufffd";

/** JSON reaches handlers as text, in which damaged bytes are replaced already; urlencoded values are decoded here. */
export function openRepairing(batch: HandlerBatch, table: HandledTable): EventSink {
  const told = new Set<string>();
  return {
    row: async (event) => {
      const row = repairedRow(event);
      for (const [column, value] of row) {
        if (value === null || told.has(column) || !value.includes(replacement)) continue;
        told.add(column);
        batch.log.warn(`Fixed invalid UTF8 in column <${table.name}.${column}>`);
      }
      await batch.change(event, table.destination, { operation: event.operation, key: event.key, row });
    },
    flush: async () => {},
  };
}

function repairedRow(event: RowEvent): Row {
  const data = event.event.data ?? "";
  return data.startsWith("{") ? event.row() : urlDecodeRow(replaceDamaged(data));
}

/** Bytes that are no UTF-8 among %xx. */
function replaceDamaged(urlEncoded: string): string {
  return urlEncoded.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    encodeURIComponent(Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8")),
  );
}

/** Rows of a copy come decoded, that is: repaired. */
export function repairRow(row: Row): Row {
  return row;
}
