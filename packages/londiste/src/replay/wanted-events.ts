import { type Config, quoteLiteral } from "@skytools/skytools";
import type { ReplicatedTable } from "../londiste-api.ts";
import { copiedAlready } from "./copy-snapshot.ts";

/** Which events of a batch a worker reads, as a condition over the event columns; undefined: all. Left out are those that a
 * table's copied rows contain already, and with `local_only` those of tables that are not replicated here.
 * @param passesEventsOn a branch needs all events: there `local_only` does not hold
 * Source: spec/londiste.md 9.6 */
export function wantedEvents(
  config: Config,
  tables: readonly ReplicatedTable[],
  passesEventsOn: boolean,
): string | undefined {
  const copied = tables
    .filter((table) => table.copySnapshot !== null)
    .map((table) => copiedAlready(table.name, table.copySnapshot ?? ""));
  const conditions = [
    ...(copied.length === 0 ? [] : [`not (${copied.join(" or ")})`]),
    ...(config.getBoolean("local_only") && !passesEventsOn ? [isLocalEvent(config, tables)] : []),
  ];
  return conditions.length === 0 ? undefined : conditions.join(" and ");
}

function isLocalEvent(config: Config, tables: readonly ReplicatedTable[]): string {
  const names = tables.map((table) => quoteLiteral(table.name)).join(", ");
  const kinds = [
    "ev_type like 'pgq.%'",
    "ev_type like 'londiste.%'",
    ...(config.getBoolean("local_only_drop_execute") ? [] : ["ev_type = 'EXECUTE'"]),
    ...(names === "" ? [] : [`ev_extra1 in (${names})`]),
  ];
  return `(${kinds.join(" or ")})`;
}
