import { type PartialSqlRow, parsePartialSql } from "@skytools/skytools";
import { ApplyError, type FailedEvent, ofEvent } from "./apply-error.ts";
import type { RowEventKind } from "./event-kind.ts";
import type { RawEvent } from "./event-line.ts";
import { decodeRaw, decodeRow } from "./row-layout.ts";
import type { RowChange } from "./row-statement.ts";
import type { TargetTable } from "./target-table.ts";

/** The change that an event describes, values as text.
 * @throws ApplyError when its data cannot be read, or lacks columns of the row */
export function decodedChange(table: TargetTable, event: RawEvent, kind: RowEventKind): RowChange {
  const { operation } = kind;
  const failed = { eventId: event.id, eventTxid: event.txid, table: table.name, operation };
  if (kind.format === "sql") return parsedChange(table, event, failed, kind);
  const { format } = kind;
  const row = ofEvent(failed, () => decodeRow(format, event.data));
  return { operation, key: kind.key, row };
}

/** Partial SQL, whose type says what its data looks like, whatever it counts as. */
function parsedChange(
  table: TargetTable,
  event: RawEvent,
  failed: FailedEvent,
  { operation }: RowEventKind,
): RowChange {
  const { key, data } = readPartialSql(event, failed);
  const row = new Map([...key, ...data]);
  const all = table.columns.filter((column) => !column.isGenerated);
  if (event.type === "U" && !all.every((column) => row.has(column.name))) {
    throw new ApplyError(
      "partial SQL of an update has only the columns that changed: no row can be made of it; let the trigger log whole rows (flag L or J in place of Q)",
      failed,
    );
  }
  return { operation, key: [...key.keys()], row };
}

/** The columns of an event of pgq.sqltriga. @throws ApplyError when its data is something else */
export function readPartialSql(event: RawEvent, failed: FailedEvent): PartialSqlRow {
  return ofEvent(failed, () => parsePartialSql(event.type as "I" | "U" | "D", decodeRaw(event.data) ?? ""));
}
