import {
  bulkTreatment,
  type DispatchRules,
  DispatchSink,
  FieldMap,
  type Period,
  type RowsTreatment,
  type TableHandler,
} from "@skytools/londiste/apply";
import { takesAllFields } from "../loading/field-list.ts";
import { bulkModes } from "./table-keys.ts";
import type { TableSettings } from "./table-settings.ts";

/** What is done with the events of a table that is loaded. */
export function tableHandler(settings: TableSettings, destination: string): TableHandler {
  const rows = treatment(settings);
  if (!needsSink(settings)) return { rows };
  const rules = dispatchRules(settings, destination, rows);
  const hasPartitions = settings.tableMode === "split";
  return { rows, hasPartitions, open: (batch) => new DispatchSink(batch, rules, () => true) };
}

/** True when events are looked at one by one. */
export function needsSink({ tableMode, fields }: TableSettings): boolean {
  return tableMode === "split" || (tableMode === "direct" && !takesAllFields(fields));
}

/** Source: spec/scripts.md section 4, table of row modes */
function treatment({ rowMode, bulkMode }: TableSettings): RowsTreatment {
  switch (rowMode) {
    case "plain":
      return {};
    case "keep_latest":
      return { replaces: "updates", operations: { delete: "ignored" }, truncate: "ignored" };
    case "keep_all":
      return { operations: { update: "insert", delete: "ignored" }, truncate: "ignored" };
    case "bulk":
      return bulkTreatment(String(bulkModes.indexOf(bulkMode)));
  }
}

function dispatchRules(settings: TableSettings, parent: string, rows: RowsTreatment): DispatchRules {
  const { tableMode, splitBy, splitField, splitPart, splitPartTemplate, rowMode, fields } = settings;
  const { operations: _decidedHere, ...loading } = rows;
  return {
    tableMode: tableMode === "split" ? "part" : "direct",
    partMode:
      splitBy === "event time" ? "event_time" : splitBy === "batch time" ? "batch_time" : "date_field",
    partName: splitPart.replaceAll("%(table_name)s", "%(parent)s"),
    partition: {
      parent,
      period: periodOf(splitPart),
      field: splitField,
      functionName: "londiste.create_partition",
      otherwise: "fail",
      template: splitPartTemplate === "" ? undefined : makerTemplate(splitPartTemplate),
      preSql: undefined,
      postSql: undefined,
      retentionPeriod: undefined,
      ignoresOldEvents: false,
    },
    rowMode: rowMode === "bulk" ? "plain" : rowMode,
    operations: new Set(rowMode === "keep_latest" ? ["insert", "update"] : ["insert", "update", "delete"]),
    fields: new FieldMap(fields, ""),
    treatment: loading,
    isInsertOnly: false,
  };
}

/** The shortest time that a name shows. */
function periodOf(splitPart: string): Period {
  const periods = ["hour", "day", "month"] as const;
  return periods.find((period) => splitPart.includes(`%(${period})s`)) ?? "year";
}

/** `dest` and `part` are the same here, the partition. */
function makerTemplate(text: string): string {
  return text.replaceAll("%(dest)s", "%(part)s").replaceAll("%(pkey)s", "%(pkeys)s");
}
