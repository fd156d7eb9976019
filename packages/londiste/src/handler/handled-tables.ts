import { SkytoolsError } from "@skytools/skytools";
import type { ReplicatedTable } from "../londiste-api.ts";
import type { TableHandler } from "./handler.ts";
import type { HandlerRegistry } from "./handler-registry.ts";

/** Tables by set name, with the handlers of those that have another than the default one. */
export interface HandledTables {
  readonly tables: ReadonlyMap<string, ReplicatedTable>;
  readonly handlers: ReadonlyMap<string, TableHandler>;
}

/** @throws SkytoolsError HANDLER naming the table; tried again: the operator can change the handler meanwhile */
export function handledTables(registry: HandlerRegistry, list: readonly ReplicatedTable[]): HandledTables {
  const tables = new Map<string, ReplicatedTable>();
  const handlers = new Map<string, TableHandler>();
  for (const table of list) {
    const handler = handlerOf(registry, table);
    if (handler !== undefined) handlers.set(table.name, handler);
    tables.set(table.name, { ...table, destination: handler?.destination ?? table.destination });
  }
  return { tables, handlers };
}

function handlerOf(registry: HandlerRegistry, table: ReplicatedTable): TableHandler | undefined {
  try {
    return registry.ofTable(table);
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    throw new SkytoolsError("HANDLER", `table "${table.name}": ${error.message}`, {
      retry: "later",
      hint: error.hint ?? "Change it with change-handler.",
      cause: error,
    });
  }
}
