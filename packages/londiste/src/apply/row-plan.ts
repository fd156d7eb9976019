import { ApplyError, type FailedEvent } from "./apply-error.ts";
import { isSameLayout, type RowLayout } from "./row-layout.ts";
import { RowTranscoder } from "./row-transcoder.ts";
import type { TargetColumn, TargetTable } from "./target-table.ts";

/** How rows of one layout and key go into a table. */
export interface RowPlan {
  readonly layout: RowLayout;
  readonly key: readonly string[];
  readonly transcoder: RowTranscoder;
  /** columns that are written: those of the layout without the generated ones */
  readonly columns: readonly TargetColumn[];
  readonly keyColumns: readonly TargetColumn[];
  /** false: only inserts can be applied */
  readonly hasKey: boolean;
}

/** @param event the first of its layout, for the message
 * @throws ApplyError when the table has no such column */
export function planRows(
  table: TargetTable,
  layout: RowLayout,
  key: readonly string[],
  event: FailedEvent,
): RowPlan {
  const columns: TargetColumn[] = [];
  const isWritten = layout.columns.map((name) => {
    const column = table.columns.find((entry) => entry.name === name);
    if (column === undefined) {
      throw new ApplyError(`column "${name}" does not exist on this node: add it here first`, event);
    }
    if (!column.isGenerated) columns.push(column);
    return !column.isGenerated;
  });
  const keyColumns = key.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  return {
    layout,
    key,
    transcoder: new RowTranscoder(layout, isWritten),
    columns,
    keyColumns,
    hasKey: keyColumns.length > 0 && keyColumns.length === key.length,
  };
}

/** True when the plan serves such rows too. */
export function isPlanFor(plan: RowPlan, layout: RowLayout, key: readonly string[]): boolean {
  return isSameLayout(layout, plan.layout) && isSameKey(key, plan.key);
}

export function isSameKey(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, nr) => name === b[nr]));
}
