import type { LostEventCounter } from "@skytools/pgq/cascade";
import { classifyEventType, type RowOperation } from "../apply/event-kind.ts";

const columns: Readonly<Record<RowOperation, number>> = { insert: 0, update: 1, delete: 2 };

/** Counts what a former root had beyond the takeover: per table its inserts, updates and deletes, and whether each change of an
 * old row has that row with it, so that it can be undone; and the tables that were emptied.
 * Source: spec/cascade.md section 12 "Statistics keys", defect (d) */
export function lostEventCounter(): LostEventCounter {
  const tables = new Map<string, { counts: number[]; hasBackups: boolean }>();
  const truncated = new Set<string>();
  return {
    add: ({ type, extra1, extra2 }) => {
      if (extra1 === null) return;
      const kind = classifyEventType(type);
      if (kind.kind === "truncate") truncated.add(extra1);
      if (kind.kind !== "row") return;
      const entry = tables.get(extra1) ?? { counts: [0, 0, 0], hasBackups: true };
      tables.set(extra1, entry);
      const column = columns[kind.operation];
      entry.counts[column] = entry.counts[column]! + 1;
      // the triggers put the old row there; an insert needs none
      if (kind.operation !== "insert" && extra2 === null) entry.hasBackups = false;
    },
    statistics: () => {
      const lines = [...tables].map(([name, { counts, hasBackups }]): [string, string] => [
        `table: ${name}`,
        `[${counts.join(", ")}, '${hasBackups && !truncated.has(name) ? "can rollback" : "cannot rollback"}']`,
      ]);
      return new Map([
        ...lines,
        ...(truncated.size === 0 ? [] : [["truncated_tables", [...truncated].join(", ")] as const]),
      ]);
    },
  };
}
