import type { PgqEvent } from "@skytools/pgq";
import { quoteIdent, quoteLiteral, splitFqName, urlEncodeRow } from "@skytools/skytools";
import type { EventSink, Handler, HandlerBatch, RowEvent, TableHandler } from "./handler.ts";

const letters = { insert: "I", update: "U", delete: "D" } as const;

/** Source: spec/londiste.md 12.4 */
export const applyfnHandler: Handler = {
  name: "applyfn",
  summary: "hands each event to a function of the local database",
  doc: `The function gets text: func_conf, tick id, ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data and ev_extra1 to
ev_extra4. ev_extra1 is the local table. Events in JSON are rewritten as pgq.logutriga writes them, I:keys and a
urlencoded row, which is what such functions read (merge_on_time, for example).`,
  arguments: [
    { name: "func_name", doc: "the function", isRequired: true },
    { name: "func_conf", doc: "its first argument", default: "" },
  ],
  create: ({ destination, arguments: values }) =>
    callFunction({
      name: values.get("func_name") ?? "",
      configuration: values.get("func_conf") ?? "",
      destination,
    }),
};

export interface FunctionCall {
  readonly name: string;
  readonly configuration: string;
  readonly destination: string;
}

/** A handler that calls a function for each event. The function may look at, and change, any table: so everything goes in one
 * order. */
export function callFunction(call: FunctionCall): TableHandler {
  return {
    isComplete: false,
    actsOnOtherTables: true,
    open: (batch) => functionSink(batch, call),
  };
}

function functionSink(batch: HandlerBatch, call: FunctionCall): EventSink {
  const [schema, name] = call.name.includes(".") ? splitFqName(call.name) : [undefined, call.name];
  const called = schema === undefined ? quoteIdent(name) : `${quoteIdent(schema)}.${quoteIdent(name)}`;
  return {
    row: async (event) => {
      const { type, data } = urlForm(event);
      const { id, time, txid, retry, extra2, extra3, extra4 } = event.event;
      const values = [
        call.configuration,
        batch.tickId,
        id,
        time,
        txid,
        retry,
        type,
        data,
        call.destination,
        extra2,
        extra3,
        extra4,
      ];
      const list = values.map((value) => quoteLiteral(value === null ? null : String(value)));
      await batch.statement(event, `select ${called}(${list.join(", ")});`);
    },
    flush: async () => {},
  };
}

/** JSON events as urlencoded ones, others as they are. */
function urlForm(event: RowEvent): Pick<PgqEvent, "type" | "data"> {
  if (!event.event.data?.startsWith("{")) return event.event;
  return {
    type: `${letters[event.operation]}:${event.key.join(",")}`,
    data: urlEncodeRow(event.row()),
  };
}
