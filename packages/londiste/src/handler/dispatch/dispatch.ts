import type { Database, Log } from "@skytools/skytools";
import { methodArgument } from "../bulk.ts";
import { encodingArgument, repairsText } from "../encoding-argument.ts";
import type { HandledTable, Handler, HandlerArgument, TableHandler } from "../handler.ts";
import { hashExpression, hashKey, isOfShard, loadShard, shardArguments, shardCondition } from "../shard.ts";
import { ignoresTruncate, ignoreTruncateArgument } from "../truncate-argument.ts";
import { dispatchRules } from "./dispatch-rules.ts";
import { DispatchSink } from "./dispatch-sink.ts";
import { placeCopiedRows } from "./place-copied-rows.ts";

const dispatchArguments: readonly HandlerArgument[] = [
  {
    name: "table_mode",
    doc: "part: partitions; direct: the table itself; ignore: nothing is applied",
    default: "part",
    choices: ["part", "direct", "ignore"],
  },
  {
    name: "part_mode",
    doc: "the time that chooses the partition",
    default: "batch_time",
    choices: ["batch_time", "event_time", "date_field", "current_time"],
  },
  { name: "part_field", doc: "column of the time, for date_field" },
  {
    name: "period",
    doc: "length of a partition",
    default: "day",
    choices: ["day", "month", "year", "hour"],
  },
  { name: "part_name", doc: "name of partitions: %(parent)s %(year)s %(month)s %(day)s %(hour)s" },
  { name: "part_func", doc: "SQL function that creates them", default: "londiste.create_partition" },
  {
    name: "part_template",
    doc: "SQL in place of the function: %(dest)s %(part)s %(parent)s %(pkeys)s %(schema_table)s %(part_field)s %(part_time)s %(period)s",
  },
  { name: "pre_part", doc: "SQL before the creation of a partition, same variables" },
  { name: "post_part", doc: "SQL after it" },
  {
    name: "row_mode",
    doc: "plain; keep_all: updates insert, deletes are ignored; keep_latest: updates delete and insert",
    default: "plain",
    choices: ["plain", "keep_all", "keep_latest"],
  },
  { name: "event_types", doc: "* or a list of I, U, D: others are ignored", default: "*" },
  {
    name: "load_mode",
    doc: "bulk: as handler bulk does, with method",
    default: "direct",
    choices: ["direct", "bulk"],
  },
  { ...methodArgument, choices: ["0", "1", "2", "3"] },
  { name: "fields", doc: "* or columns to keep, new names after a colon: a,b:new_b", default: "*" },
  { name: "skip_fields", doc: "columns to leave out" },
  { name: "table", doc: "the local table; --dest-table is the better way" },
  { name: "retention_period", doc: "interval; older partitions are dropped when a new one is created" },
  {
    name: "ignore_old_events",
    doc: "1: events of partitions older than retention_period are skipped",
    default: "0",
    choices: ["0", "1"],
  },
  { name: "analyze", doc: "accepted for compatibility", choices: ["0", "1"] },
  ignoreTruncateArgument,
  encodingArgument,
  ...shardArguments,
];

const doc = `Partitions are created as events need them, within the transaction of the batch. Events that are applied as sets keep
their order per row. Rows of the initial copy go to their partitions too, by the time of the copy where not a field decides; the
copy empties existing partitions first, except with keep_all or --skip-truncate. An update that moves a row to another partition
is followed where the root has the table with the same handler and part_field is NOT NULL.`;

/** Source: spec/londiste.md 12.7 */
export const dispatchHandlers: readonly Handler[] = [
  dispatchHandler("dispatch", {}, "splits a table into partitions by time, and more", doc),
  ...presets(),
  preset("direct", { table_mode: "direct" }),
  preset("bulk_direct", { table_mode: "direct", load_mode: "bulk" }),
];

function presets(): Handler[] {
  const periodOf = { hourly: "hour", daily: "day", monthly: "month", yearly: "year" };
  const modeOf = {
    event: "event_time",
    batch: "batch_time",
    field: "date_field",
    time: "current_time",
  };
  return Object.entries(periodOf).flatMap(([periodName, period]) =>
    Object.entries(modeOf).flatMap(([modeName, partMode]) =>
      ["", "bulk_"].map((load) =>
        preset(`${load}${periodName}_${modeName}`, {
          table_mode: "part",
          row_mode: "keep_latest",
          period,
          part_mode: partMode,
          load_mode: load === "" ? "direct" : "bulk",
        }),
      ),
    ),
  );
}

function preset(name: string, defaults: Readonly<Record<string, string>>): Handler {
  const text = Object.entries(defaults).map(([key, value]) => `${key}=${value}`);
  return dispatchHandler(name, defaults, `dispatch with ${text.join(", ")}`, "");
}

function dispatchHandler(
  name: string,
  defaults: Readonly<Record<string, string>>,
  summary: string,
  text: string,
): Handler {
  return {
    name,
    summary,
    doc: text,
    arguments: dispatchArguments.map((argument) => {
      const value = defaults[argument.name];
      return value === undefined ? argument : { ...argument, default: value };
    }),
    create: (table) => dispatchedTable(table, defaults),
  };
}

function dispatchedTable(table: HandledTable, defaults: Readonly<Record<string, string>>): TableHandler {
  const rules = dispatchRules(table, defaults);
  const hash = hashExpression(table);
  const destination = table.arguments.get("table");
  return {
    isComplete: false,
    ignoresTruncate: ignoresTruncate(table) || rules.tableMode === "ignore",
    repairsText: repairsText(table),
    hasPartitions: rules.tableMode === "part",
    copiesRows: rules.tableMode !== "ignore",
    ...(rules.tableMode === "part"
      ? {
          copyEmptiesPartitions: rules.rowMode !== "keep_all",
          placeCopiedRows: (target: Database, log: Log, from: string) =>
            placeCopiedRows(target, log, rules, from),
        }
      : {}),
    copyColumn: (column) => rules.fields.nameOf(column),
    ...(destination === undefined ? {} : { destination }),
    ...(hash === undefined
      ? {}
      : {
          registration: [`ev_extra3='hash='||${hash}`],
          rowCondition: async (local) => shardCondition(hash, await loadShard(local, table.config)),
        }),
    keyColumns: [
      ...(rules.tableMode === "part" && rules.partMode === "date_field" ? [rules.partition.field ?? []] : []),
      hashKey(table.arguments) ?? [],
    ].flat(),
    open: async (batch) => {
      if (hash === undefined) return new DispatchSink(batch, rules, () => true);
      const shard = await loadShard(batch.target, table.config);
      return new DispatchSink(batch, rules, ({ event }) => isOfShard(shard, table.name, event));
    },
  };
}
