import {
  type Database,
  type Log,
  quoteFqIdent,
  quoteIdent,
  SkytoolsError,
  TableStructure,
} from "@skytools/skytools";
import { type DispatchRules, partitionName } from "./dispatch-rules.ts";
import { PartitionMaker } from "./partition-maker.ts";
import { parsePartitionTime } from "./partition-time.ts";

/** Moves copied rows to their partitions, within the copy's transaction. Where the time of a batch or an event decides, that of the
 * copy counts.
 * @param from as SQL: the table that has them, of the parent's columns; the parent itself, or one beside it when it is
 * partitioned natively, and takes no rows before it has their partitions */
export async function placeCopiedRows(
  target: Database,
  log: Log,
  rules: DispatchRules,
  from: string,
): Promise<void> {
  const { partition } = rules;
  const parent = await TableStructure.load(target, partition.parent);
  const time = timeOfRow(parent, rules);
  if (time === undefined) {
    if (from !== parent.quotedName) {
      throw new SkytoolsError("DISPATCH", `${parent.name} has no column ${partition.field ?? ""}`, {
        retry: "later",
      });
    }
    log.warn(
      `${parent.name}: copied rows stay in it, as column ${partition.field ?? ""} does not exist here`,
    );
    return;
  }
  const only = `only ${from}`;
  await target.query(
    `create temporary table londiste_placed on commit drop as
       select r.ctid as row_id, date_trunc($1, ${time}) as period from ${only} r`,
    [partition.period],
  );
  await target.execute("create index on londiste_placed (period); analyze londiste_placed");
  const periods = await target.query<{ period: string | null }>(
    "select distinct to_char(period, 'YYYY-MM-DD HH24:MI:SS') as period from londiste_placed order by 1",
  );
  const maker = new PartitionMaker(target, log, partition);
  const columns = parent.copyColumns.map((column) => quoteIdent(column.name)).join(", ");
  for (const { period } of periods) {
    if (period === null) {
      throw new SkytoolsError(
        "DISPATCH",
        `part_field(${partition.field}) is NULL in a copied row of ${parent.name}`,
        {
          retry: "later",
        },
      );
    }
    const part = partitionName(rules, parsePartitionTime(period));
    const isUsed = await maker.ensure(part, parsePartitionTime(period), parent.primaryKey);
    const moved = `delete from ${only} r using londiste_placed p where p.row_id = r.ctid and p.period = $1::timestamp returning r.*`;
    await target.query(
      isUsed
        ? `with moved as (${moved}) insert into ${quoteFqIdent(part)} (${columns}) overriding system value select ${columns} from moved`
        : `with moved as (${moved}) select`,
      [period],
    );
  }
  await target.execute("drop table londiste_placed");
}

/** Local time as SQL over the row `r`; of a column as its text says, as in events. */
function timeOfRow(
  parent: TableStructure,
  { partMode, partition, fields }: DispatchRules,
): string | undefined {
  if (partMode !== "date_field") return "now()::timestamp";
  const column = fields.nameOf(partition.field ?? "");
  if (column === undefined || parent.column(column) === undefined) return undefined;
  return `r.${quoteIdent(column)}::text::timestamp`;
}
