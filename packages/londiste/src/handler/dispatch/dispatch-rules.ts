import { UsageError } from "@skytools/skytools";
import type { RowOperation } from "../../apply/event-kind.ts";
import type { RowsTreatment } from "../../apply/rows-treatment.ts";
import { bulkTreatment } from "../bulk.ts";
import type { HandledTable } from "../handler.ts";
import { FieldMap } from "./field-map.ts";
import type { PartitionRules } from "./partition-maker.ts";
import { automaticName, type PartitionTime, type Period, periods } from "./partition-time.ts";

/** The arguments of dispatch, read and checked. */
export interface DispatchRules {
  readonly tableMode: "part" | "direct" | "ignore";
  readonly partMode: "batch_time" | "event_time" | "date_field" | "current_time";
  readonly partition: PartitionRules;
  /** template of partition names */
  readonly partName: string | undefined;
  readonly rowMode: "plain" | "keep_all" | "keep_latest";
  readonly operations: ReadonlySet<RowOperation>;
  readonly fields: FieldMap;
  readonly treatment: RowsTreatment;
  /** method 3 */
  readonly isInsertOnly: boolean;
}

const operationOfLetter: ReadonlyMap<string, RowOperation> = new Map([
  ["I", "insert"],
  ["U", "update"],
  ["D", "delete"],
]);

/** @param defaults of a preset
 * @throws UsageError
 * Source: spec/londiste.md 12.7 */
export function dispatchRules(
  table: HandledTable,
  defaults: Readonly<Record<string, string>>,
): DispatchRules {
  const value = (name: string, fallback = "") => table.arguments.get(name) ?? defaults[name] ?? fallback;
  const optional = (name: string) => (value(name) === "" ? undefined : value(name));
  const partMode = value("part_mode", "batch_time") as DispatchRules["partMode"];
  const field = optional("part_field");
  if (partMode === "date_field" && field === undefined) {
    throw new UsageError("part_mode date_field needs --handler-arg=part_field=COLUMN");
  }
  const method = value("method", "0");
  const isInsertOnly = method === "3";
  const isBulk = value("load_mode", "direct") === "bulk";
  const loading = isBulk && !isInsertOnly ? bulkTreatment(method) : {};
  const rowMode = value("row_mode", "plain") as DispatchRules["rowMode"];
  return {
    tableMode: value("table_mode", "part") as DispatchRules["tableMode"],
    partMode,
    partName: optional("part_name"),
    partition: {
      parent: optional("table") ?? table.destination,
      period: periodOf(value("period", "day")),
      field,
      functionName: value("part_func", "londiste.create_partition"),
      template: optional("part_template"),
      preSql: optional("pre_part"),
      postSql: optional("post_part"),
      retentionPeriod: optional("retention_period"),
      ignoresOldEvents: value("ignore_old_events") === "1",
    },
    rowMode,
    operations: operationsOf(value("event_types", "*")),
    fields: new FieldMap(value("fields", "*"), value("skip_fields")),
    treatment: rowMode === "keep_latest" ? { ...loading, replaces: loading.replaces ?? "updates" } : loading,
    isInsertOnly: isBulk && isInsertOnly,
  };
}

/** Plain name of the partition for a time. */
export function partitionName({ partName, partition }: DispatchRules, time: PartitionTime): string {
  if (partName === undefined) return automaticName(partition.parent, time, partition.period);
  const values = new Map(Object.entries({ parent: partition.parent, ...time }));
  const name = partName.replace(/%\((\w+)\)[sd]/g, (text, part: string) => values.get(part) ?? text);
  return name.includes(".") ? name : `${partition.parent.slice(0, partition.parent.indexOf("."))}.${name}`;
}

function periodOf(text: string): Period {
  const period = periods.find((name) => name === text);
  if (period === undefined) throw new UsageError(`Bad argument period value ${text}`);
  return period;
}

function operationsOf(text: string): ReadonlySet<RowOperation> {
  if (text === "*") return new Set(["insert", "update", "delete"]);
  return new Set(
    text.split(",").map((letter) => {
      const operation = operationOfLetter.get(letter.trim());
      if (operation === undefined) throw new UsageError(`Unsupported operation: ${letter.trim()}`);
      return operation;
    }),
  );
}
