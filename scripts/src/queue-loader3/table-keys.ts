import type { ConfigGroup, ConfigKey } from "@skytools/skytools";
import { fieldsKey } from "../loading/field-list.ts";

export const tableModes = ["ignore", "direct", "split"] as const;
export const rowModes = ["plain", "keep_latest", "keep_all", "bulk"] as const;
export const bulkModes = ["correct", "delete", "merged"] as const;

const tableMode: ConfigKey = {
  key: "table_mode",
  type: "choice",
  choices: tableModes,
  default: "ignore",
  doc: "ignore: events are not loaded; direct: into the table; split: into partitions by time",
};

const template: ConfigKey = {
  key: "split_part_template",
  type: "string",
  default: "",
  doc: "SQL that makes a missing partition: %(part)s, %(parent)s, %(pkey)s. Default: create_partition, where dispatch.sql is installed",
};

/** Keys that stand in the main section for all tables, and in a table's own section for it alone.
 * Source: spec/scripts.md section 4 */
export const tableKeys: readonly ConfigKey[] = [
  tableMode,
  {
    key: "split_mode",
    type: "string",
    default: "by-batch-time",
    doc: "time that chooses the partition: by-batch-time, by-event-time, by-date-field:FIELD",
  },
  {
    key: "split_part",
    type: "string",
    default: "%(table_name)s_%(year)s_%(month)s_%(day)s",
    doc: "name of partitions; also %(hour)s",
  },
  template,
  {
    key: "row_mode",
    type: "choice",
    choices: rowModes,
    default: "plain",
    doc: "plain: as it happened; keep_latest: updates delete and insert, deletes are ignored; keep_all: updates insert, deletes are ignored; bulk: always as a set, see bulk_mode",
  },
  {
    key: "bulk_mode",
    type: "choice",
    choices: bulkModes,
    default: "correct",
    doc: "correct: insert, update, delete; delete: updates delete and insert; merged: inserts too replace what is there",
  },
  fieldsKey,
];

const ofSection = " (in a table's section)";

/** Keys of a table's section: other words for two of them are those of the original's documentation. */
export const tableSectionKeys: ConfigGroup = {
  title: "table",
  keys: [
    ...tableKeys,
    { ...tableMode, key: "mode", template: "hidden", doc: `${tableMode.doc}${ofSection}` },
    { ...template, key: "create_sql", template: "hidden", doc: `${template.doc}${ofSection}` },
  ],
};
