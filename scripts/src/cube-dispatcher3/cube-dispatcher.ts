import {
  type FirstEvent,
  PartitionMaker,
  parsePartitionTime,
  type RowsTreatment,
  type TableFinder,
} from "@skytools/londiste/apply";
import { type ConsumerBatch, consumerProgram } from "@skytools/pgq";
import { type Database, SkytoolsError, skytoolsVersion } from "@skytools/skytools";
import { loadingKeys } from "../loading/loading-key.ts";
import { partitionTemplate } from "../loading/part-template.ts";
import { requireTable } from "../loading/require-table.ts";
import { TableLoader } from "../loading/table-loader.ts";

const treatments = {
  keep_latest: { replaces: "updates and inserts", truncate: "refused" },
  keep_all: { operations: { update: "insert", delete: "refused" }, truncate: "refused" },
} as const satisfies Record<string, RowsTreatment>;

type Mode = keyof typeof treatments;

const likeParent = "like _PARENT including all excluding identity excluding indexes";

/** In keep_all a key stands in as many rows as it has versions. */
const usualTemplates: Readonly<Record<Mode, string>> = {
  keep_latest: `create table _DEST_TABLE (${likeParent}); alter table _DEST_TABLE add primary key (_PKEY)`,
  keep_all: `create table _DEST_TABLE (${likeParent})`,
};

/** Loads the changes of any number of tables into tables of their period, named after the date of the batch. */
class CubeDispatcher extends TableLoader {
  protected override async tableFinder(batch: ConsumerBatch, target: Database): Promise<TableFinder> {
    const mode: Mode = this.job.config.get("mode") === "keep_all" ? "keep_all" : "keep_latest";
    const suffix = await this.#dateSuffix(batch);
    return {
      dataOf: "all",
      wholeEventsOf: [],
      find: async (first) => {
        refuseTruncate(first);
        if (mode === "keep_latest") requireKey(first);
        const destination = `${first.table}${suffix}`;
        if (suffix === "") await requireTable(target, destination, first, "Create it.");
        else await this.#makeTable(target, destination, first, mode, batch.info.tickTime);
        return { destination, handler: { rows: treatments[mode] } };
      },
    };
  }

  /** The source's idea of the date counts, as its time zone is that of the data. */
  async #dateSuffix({ source, info }: ConsumerBatch): Promise<string> {
    const format = this.job.config.get("dateformat");
    if (format === "") return "";
    const date = await source.queryValue<string>("select to_char($1::timestamptz, $2)", [
      info.tickTime,
      format,
    ]);
    return `_${date ?? ""}`;
  }

  async #makeTable(
    target: Database,
    table: string,
    first: FirstEvent,
    mode: Mode,
    tickTime: string,
  ): Promise<void> {
    const own = this.job.config.get("part_template");
    const maker = new PartitionMaker(target, this.job.log, {
      parent: first.table,
      period: "day",
      field: undefined,
      functionName: "",
      template: partitionTemplate(own === "" ? usualTemplates[mode] : own),
      preSql: undefined,
      postSql: undefined,
      retentionPeriod: undefined,
      ignoresOldEvents: false,
    });
    if (await maker.exists(table)) return;
    if (own === "") {
      await requireTable(
        target,
        first.table,
        first,
        "Create it: tables of a period are made like it. Or set part_template.",
      );
    }
    await maker.ensure(table, parsePartitionTime(tickTime), first.key);
  }
}

function refuseTruncate({ operation, id, table }: FirstEvent): void {
  if (operation !== "truncate") return;
  throw new SkytoolsError("TRUNCATE_EVENT", `event ${id}: TRUNCATE of "${table}" cannot be dispatched`, {
    retry: "later",
    hint: "Leave such events out: consumer_filter = ev_type <> 'R'.",
  });
}

function requireKey({ key, id, table }: FirstEvent): void {
  if (key.length > 0) return;
  throw new SkytoolsError("NO_KEY", `event ${id} of "${table}" has no key, which mode keep_latest needs`, {
    retry: "later",
    hint: "Give the table a primary key on the source, or leave its events out with table_filter or consumer_filter.",
  });
}

/** Source: spec/scripts.md section 6 */
export const cubeDispatcher = consumerProgram({
  service: "cube_dispatcher3",
  sectionAliases: ["cube_dispatcher"],
  version: skytoolsVersion,
  summary: "loads row changes of a queue into tables by date of change, exactly once",
  consumer: CubeDispatcher,
  keys: [
    {
      key: "mode",
      type: "choice",
      choices: ["keep_latest", "keep_all"],
      default: "keep_latest",
      doc: "keep_latest: one row a key in the table of its day; keep_all: every version of it, deletes are an error",
    },
    {
      key: "dateformat",
      type: "string",
      default: "YYYY_MM_DD",
      doc: "to_char format of the end of the batch, appended to the table's name after _; empty: nothing is appended",
    },
    {
      key: "part_template",
      type: "string",
      default: "",
      doc: "SQL that makes a missing table: _DEST_TABLE, _PARENT, _PKEY, _SCHEMA_TABLE. Default: like the parent, in keep_latest with a primary key",
    },
    ...loadingKeys,
  ],
});
