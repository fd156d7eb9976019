import {
  type DispatchRules,
  DispatchSink,
  FieldMap,
  type FirstEvent,
  type RowsTreatment,
  type TableFinder,
  type TableHandler,
} from "@skytools/londiste/apply";
import { type ConsumerBatch, consumerProgram } from "@skytools/pgq";
import {
  type Config,
  type ConfigError,
  type Database,
  fqName,
  SkytoolsError,
  skytoolsVersion,
} from "@skytools/skytools";
import { fieldErrors, fieldsKey, takesAllFields } from "../loading/field-list.ts";
import { loadingKeys } from "../loading/loading-key.ts";
import { partitionTemplate } from "../loading/part-template.ts";
import { requireTable } from "../loading/require-table.ts";
import { TableLoader } from "../loading/table-loader.ts";
import { asInserts } from "./insert-events.ts";

const eventTime = "_EVTIME";

const insertsOnly: RowsTreatment = {
  operations: { update: "refused", delete: "refused" },
  truncate: "refused",
};

/** Loads inserts, whatever table they come from, into one table or its partitions by date. */
class TableDispatcher extends TableLoader {
  protected override eventQuery(query: string): string {
    return asInserts(query);
  }

  protected override async tableFinder(_batch: ConsumerBatch, target: Database): Promise<TableFinder> {
    const { config } = this.job;
    const destination = fqName(config.get("dest_table"));
    const field = partitionField(config);
    const isPlain = field === undefined && takesAllFields(config.get("fields"));
    const handler = isPlain
      ? { rows: insertsOnly }
      : dispatchHandler(dispatchRules(config, destination, field));
    return {
      dataOf: "all",
      wholeEventsOf: isPlain ? [] : "all",
      find: async (first) => {
        refuseOthers(first);
        if (field === undefined) await requireTable(target, destination, first, "Create it.");
        return { destination, handler };
      },
    };
  }
}

function partitionField(config: Config): string | undefined {
  const field = config.get("part_field") || config.get("part_column");
  return field === "" ? undefined : field;
}

function dispatchRules(config: Config, parent: string, field: string | undefined): DispatchRules {
  const template = config.get("part_template");
  return {
    tableMode: field === undefined ? "direct" : "part",
    partMode: field === eventTime ? "event_time" : "date_field",
    partName: undefined,
    partition: {
      parent,
      period: config.get("part_method") === "monthly" ? "month" : "day",
      field: field === eventTime ? undefined : field,
      functionName: "londiste.create_partition",
      otherwise: "fail",
      template: template === "" ? undefined : partitionTemplate(template),
      preSql: undefined,
      postSql: undefined,
      retentionPeriod: undefined,
      ignoresOldEvents: false,
    },
    rowMode: "plain",
    operations: new Set(["insert", "update", "delete"]),
    fields: new FieldMap(config.get("fields"), ""),
    treatment: {},
    isInsertOnly: true,
  };
}

function dispatchHandler(rules: DispatchRules): TableHandler {
  return {
    rows: insertsOnly,
    open: (batch) => new DispatchSink(batch, rules, () => true),
  };
}

/** The first event of a table; later ones are refused as they come. */
function refuseOthers({ operation, id, table }: FirstEvent): void {
  if (operation === "insert") return;
  throw new SkytoolsError("INSERTS_ONLY", `event ${id} is not an insert but ${operation} of "${table}"`, {
    retry: "later",
    hint: "Only inserts can be dispatched: use bulk_loader3 or cube_dispatcher3, or leave others out with consumer_filter.",
  });
}

function mistakes(config: Config): ConfigError[] {
  const isBoth = config.get("part_field") !== "" && config.get("part_column") !== "";
  return [
    ...(isBoth ? [config.error("part_column", "is another name of part_field, which is set too")] : []),
    ...fieldErrors(config),
  ];
}

/** Source: spec/scripts.md section 7 */
export const tableDispatcher = consumerProgram({
  service: "table_dispatcher3",
  sectionAliases: ["table_dispatcher"],
  version: skytoolsVersion,
  summary: "loads inserts of a queue into one table or its partitions by date, exactly once",
  consumer: TableDispatcher,
  findings: (config) => ({ errors: mistakes(config), suspicions: [] }),
  keys: [
    {
      key: "dest_table",
      type: "string",
      required: true,
      example: "public.log",
      doc: "table to load into, or whose name partitions begin with",
    },
    {
      key: "part_field",
      type: "string",
      default: "",
      doc: `column whose date chooses the partition; ${eventTime}: the time of the event; empty: no partitions`,
    },
    { key: "part_column", type: "string", default: "", template: "hidden", doc: "other name of part_field" },
    {
      key: "part_method",
      type: "choice",
      choices: ["daily", "monthly"],
      default: "daily",
      doc: "length of a partition",
    },
    {
      key: "part_template",
      type: "string",
      default: "",
      doc: "SQL that makes a missing partition: _DEST_TABLE, _PARENT, _PKEY, _SCHEMA_TABLE. Default: create_partition, where dispatch.sql is installed",
    },
    fieldsKey,
    ...loadingKeys,
  ],
});
