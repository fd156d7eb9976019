import type { TableFinder } from "@skytools/londiste/apply";
import { type ConsumerBatch, consumerProgram } from "@skytools/pgq";
import { type Database, fqName, skytoolsVersion } from "@skytools/skytools";
import { loadingKeys } from "../loading/loading-key.ts";
import { requireTable } from "../loading/require-table.ts";
import { TableLoader } from "../loading/table-loader.ts";
import { loadMethods, loadTreatment } from "./load-method.ts";

/** Applies the row changes of any number of tables, folded to their net effect, with a few statements a table and batch. */
class BulkLoader extends TableLoader {
  protected override async tableFinder(_batch: ConsumerBatch, target: Database): Promise<TableFinder> {
    const { config } = this.job;
    const missingRows = config.get("missing_rows") === "error" ? "error" : "warn";
    const rows = loadTreatment(config.get("load_method"), missingRows);
    const ignored = new Set(config.getList("ignore_tables").map(fqName));
    const renamed = new Map(
      [...config.getDict("remap_tables")].map(([from, to]) => [fqName(from), fqName(to)]),
    );
    return {
      dataOf: "all",
      wholeEventsOf: [],
      find: async (first) => {
        if (ignored.has(first.table)) return undefined;
        const destination = renamed.get(first.table) ?? first.table;
        await requireTable(
          target,
          destination,
          first,
          "Create it, or name it in remap_tables or ignore_tables.",
        );
        return { destination, handler: { rows } };
      },
    };
  }
}

/** Source: spec/scripts.md section 5 */
export const bulkLoader = consumerProgram({
  service: "bulk_loader3",
  sectionAliases: ["bulk_loader"],
  version: skytoolsVersion,
  summary: "applies row changes of a queue to the tables of a slow database, in bulk, exactly once",
  consumer: BulkLoader,
  keys: [
    {
      key: "load_method",
      type: "choice",
      choices: loadMethods,
      default: "0",
      doc: "0 or correct: insert, update, delete as they are; 1 or delete: updates delete and insert; 2 or merged: inserts too replace what is there; 3 or insert: anything but inserts is an error",
    },
    {
      key: "remap_tables",
      type: "dict",
      default: "",
      doc: "tables that have another name on the target: old:new, other.old:other.new",
    },
    { key: "ignore_tables", type: "list", default: "", doc: "tables whose events are not loaded" },
    {
      key: "missing_rows",
      type: "choice",
      choices: ["warn", "error"],
      default: "warn",
      doc: "what to do when fewer rows are updated or deleted than the events say; where rows go one by one, because of triggers or foreign keys, warn says nothing",
    },
    ...loadingKeys,
  ],
});
