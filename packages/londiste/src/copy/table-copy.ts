import type { Database, Log, TableObject } from "@skytools/skytools";
import {
  copyRow,
  crashPoint,
  DatabaseError,
  droppableObjects,
  parseCopyRow,
  pipeCopy,
  quoteFqIdent,
  quoteIdent,
  rewriteCopyRows,
  SkytoolsError,
  TableStructure,
} from "@skytools/skytools";
import type { Row, TableHandler } from "../handler/handler.ts";
import type { CopyProgress } from "./copy-progress.ts";

/** Below this size of the source table indexes stay in place: maintaining them costs less than building them anew, and the
 * catalogs see no churn. */
const smallTableBytes = 4n * 1024n * 1024n;

export interface TableCopyInput {
  /** in REPEATABLE READ, no transaction open */
  readonly source: Database;
  /** session in replication role replica, no transaction open */
  readonly target: Database;
  readonly log: Log;
  /** set-wide name, for messages */
  readonly table: string;
  readonly sourceTable: string;
  readonly destination: string;
  /** leave the rows that are there */
  readonly skipsTruncate: boolean;
  readonly handler: TableHandler;
  /** true: the table has rows out of other queues, which stay */
  readonly joinsOthers: () => Promise<boolean>;
  readonly progress: CopyProgress;
}

export interface CopiedTable {
  readonly rows: bigint;
  readonly bytes: number;
  /** txid_snapshot text: the transactions of the source that the rows contain */
  readonly snapshot: string;
}

/** Copies a table within one transaction of the target, which is left open for the caller to store the new state and commit:
 * either all of it is there, rows, keys and indexes, or nothing has changed. The source is only read; its writers are not held up.
 * @throws SkytoolsError, DatabaseError; the caller rolls back
 * Source: spec/londiste.md 8.2 */
export async function copyTable(input: TableCopyInput): Promise<CopiedTable> {
  const { source, target, log, progress } = input;
  // Locked first: a table that is rewritten after the snapshot was taken looks empty in it.
  await source.execute(`lock table ${quoteFqIdent(input.sourceTable)} in access share mode`);
  const snapshot = await source.queryValue<string>("select txid_current_snapshot()::text");
  if (snapshot === undefined) throw new SkytoolsError("COPY", "no snapshot from the source");
  const from = await TableStructure.load(source, input.sourceTable);
  log.info(`Starting full copy of ${input.table}`);
  await progress.begin({ totalBytes: from.sizeBytes, totalRows: from.estimatedRows });
  const { quotedTarget, isJoining } = await lockTarget(input);
  const to = await TableStructure.load(target, input.destination);
  const columns = columnPairs(input, from, to);
  const condition = await rowCondition(input);
  const isEmptied = !input.skipsTruncate && !isJoining;
  if (isEmptied) await truncate(input, to);
  else log.info(`${input.table}: skipping truncate`);
  const dropped = from.sizeBytes < smallTableBytes || isJoining ? [] : await dropObjects(target, log, to);
  crashPoint("copy.before-data");
  log.info(`${input.table}: start copy`);
  await progress.phase("copying rows");
  const { bytes, rows } = await pipeCopy(
    source,
    copyFrom(from, listOf(columns, "source"), condition),
    target,
    `copy ${quotedTarget} (${listOf(columns, "target")}) from stdin${isEmptied && to.kind === "table" ? " with (freeze)" : ""}`,
    { onProgress: (count) => progress.bytes(count), ...rowChange(input.handler, columns) },
  );
  log.info(`${input.table}: copy finished: ${bytes} bytes, ${rows} rows`);
  await source.rollback();
  crashPoint("copy.after-data");
  await progress.phase(dropped.length > 0 ? "building indexes" : "finishing", rows);
  await restoreObjects(target, log, dropped);
  return { rows, bytes, snapshot };
}

/** Alone with the table, unless rows are only added to those of other queues. */
async function lockTarget(
  input: TableCopyInput,
): Promise<{ readonly quotedTarget: string; readonly isJoining: boolean }> {
  const { target, destination } = input;
  const to = await TableStructure.load(target, destination);
  const table = `${to.kind === "table" ? "only " : ""}${to.quotedName}`;
  if (await input.joinsOthers()) {
    await target.execute(`lock table ${table} in row exclusive mode`);
    return { quotedTarget: to.quotedName, isJoining: true };
  }
  if (to.referencingKeys.some((key) => key.from !== to.name) && !input.skipsTruncate) {
    const names = to.referencingKeys.map((key) => `"${key.name}" of ${key.from}`);
    throw new SkytoolsError(
      "COPY",
      `table "${destination}" cannot be emptied: foreign key ${names.join(", ")} refers to it`,
      { retry: "later" },
    );
  }
  await target.execute(`lock table ${table} in access exclusive mode`);
  return { quotedTarget: to.quotedName, isJoining: await input.joinsOthers() };
}

async function truncate(input: TableCopyInput, to: TableStructure): Promise<void> {
  input.log.info(`${input.table}: truncating`);
  await input.target.execute(`truncate ${to.kind === "table" ? "only " : ""}${to.quotedName}`);
}

/** A column on its way. */
interface ColumnPair {
  readonly source: string;
  readonly target: string;
}

/** Columns that both sides have, in the order of the source. Generated columns are computed by the target. */
function columnPairs(input: TableCopyInput, from: TableStructure, to: TableStructure): ColumnPair[] {
  const { log, table, handler } = input;
  const pairs: ColumnPair[] = [];
  const wanted = new Set<string>();
  for (const { name: source } of from.columns) {
    const target = handler.copyColumn === undefined ? source : handler.copyColumn(source);
    if (target === undefined) continue;
    wanted.add(target);
    if (to.copyColumns.some((column) => column.name === target)) pairs.push({ source, target });
    else if (to.column(target) === undefined) {
      log.warn(`Table ${table} column ${target} does not exist on subscriber`);
    }
  }
  for (const column of to.columns) {
    if (wanted.has(column.name) || column.generated !== undefined || handler.copyColumn !== undefined)
      continue;
    log.warn(`Table ${table} column ${column.name} does not exist on provider`);
  }
  if (pairs.length === 0) throw new SkytoolsError("COPY", `table "${table}": no common columns found`);
  return pairs;
}

function listOf(columns: readonly ColumnPair[], side: keyof ColumnPair): string {
  return columns.map((column) => quoteIdent(column[side])).join(", ");
}

/** @returns undefined: all rows */
async function rowCondition({ handler, target }: TableCopyInput): Promise<string | undefined> {
  return handler.copiesRows === false ? "false" : handler.rowCondition?.(target);
}

/** COPY of a table leaves generated columns and the rows of partitions out; a query has all. */
function copyFrom(from: TableStructure, columns: string, condition: string | undefined): string {
  const where = condition === undefined ? "" : ` where (${condition})`;
  if (from.kind !== "table") return `copy (select ${columns} from ${from.quotedName}${where}) to stdout`;
  if (condition !== undefined || from.columns.some((column) => column.generated !== undefined)) {
    return `copy (select ${columns} from only ${from.quotedName}${where}) to stdout`;
  }
  return `copy ${from.quotedName} (${columns}) to stdout`;
}

/** The handler's change of each row; without one no row is looked at. */
function rowChange(handler: TableHandler, columns: readonly ColumnPair[]) {
  if (handler.copyRow === undefined) return {};
  const change = (row: Row) => handler.copyRow?.(row) ?? row;
  const transform = rewriteCopyRows((line) => {
    const values = parseCopyRow(line.toString("utf8"));
    const row = change(new Map(columns.map(({ source }, nr) => [source, values[nr] ?? null])));
    return copyRow(columns.map(({ source }) => row.get(source) ?? null)).slice(0, -1);
  });
  return { transform };
}

/** Drops what would slow the copy down. What something else depends on stays.
 * @returns what was dropped, in the order of creation */
async function dropObjects(target: Database, log: Log, table: TableStructure): Promise<TableObject[]> {
  if (table.kind !== "table") return [];
  const dropped: TableObject[] = [];
  const candidates = droppableObjects(table).filter((item) => isWorthDropping(table, item));
  for (const item of candidates.toReversed()) {
    try {
      await target.execute(
        `savepoint londiste_drop; ${item.drop.join("; ")}; release savepoint londiste_drop`,
      );
      log.info(`Dropping ${item.name}`);
      dropped.unshift(item);
    } catch (error) {
      const isNeeded = error instanceof DatabaseError && error.sqlState === dependentObjectsStillExist;
      if (!isNeeded || target.isBroken) throw error;
      await target.execute("rollback to savepoint londiste_drop; release savepoint londiste_drop");
      log.info(`keeping ${item.kind} ${item.name}: other objects depend on it`);
    }
  }
  return dropped;
}

const dependentObjectsStillExist = "2BP01";

/** Rules and inheritance do not act on COPY; a check that holds for all rows costs less beside the copy than after it. */
function isWorthDropping(table: TableStructure, item: TableObject): boolean {
  if (item.kind === "index") return true;
  if (item.kind !== "constraint") return false;
  const constraint = table.constraints.find((entry) => entry.name === item.name);
  return constraint?.kind !== "check" || constraint.definition.endsWith("NOT VALID");
}

async function restoreObjects(target: Database, log: Log, objects: readonly TableObject[]): Promise<void> {
  if (objects.length === 0) return;
  await target.execute("set local maintenance_work_mem = '256MB'");
  for (const item of objects) {
    log.info(`Creating ${item.name}`);
    for (const statement of item.create) await target.execute(statement);
  }
}
