export type { RowOperation } from "./apply/event-kind.ts";
export type { RowsTreatment } from "./apply/rows-treatment.ts";
export { londiste } from "./cli.ts";
export type {
  EventSink,
  HandledTable,
  Handler,
  HandlerArgument,
  HandlerBatch,
  Row,
  RowChangeOf,
  RowEvent,
  TableHandler,
} from "./handler/handler.ts";
