import type { Database, TableStructure as Structure } from "@skytools/skytools";
import { crashPoint, pipeCopy, quoteFqIdent, SkytoolsError, TableStructure } from "@skytools/skytools";
import { type CopiedColumns, columnPairs, listOf, rowChange } from "./copy-columns.ts";
import type { CopyProgress } from "./copy-progress.ts";
import { type CopyStream, copyInStreams, type StreamedRows, tableFile } from "./copy-streams.ts";
import { ddlScript, dropObjects, restoreObjects, storedStatements } from "./dropped-objects.ts";
import { buildIndexes } from "./index-builds.ts";

/** Below this size of the source table indexes stay in place: maintaining them costs less than building them anew, and the
 * catalogs see no churn. */
const smallTableBytes = 4n * 1024n * 1024n;

export interface TableCopyInput extends CopiedColumns {
  /** in REPEATABLE READ, no transaction open */
  readonly source: Database;
  /** session in replication role replica, no transaction open */
  readonly target: Database;
  readonly sourceTable: string;
  readonly destination: string;
  /** leave the rows that are there */
  readonly skipsTruncate: boolean;
  /** what an attempt that was not brought to its end has dropped, see dropObjects() */
  readonly storedDdl: string | null;
  /** Stores what is dropped, within the open transaction; null: it is back. */
  readonly storeDdl: (ddl: string | null) => Promise<void>;
  /** called with the snapshot in place, before the target is looked at or locked */
  readonly waitForScripts: () => Promise<void>;
  /** what other queues do with the table */
  readonly others: TableSharers;
  readonly streams: StreamSettings;
  readonly progress: CopyProgress;
}

/** Other queues whose rows go into the table too. Asked again behind the lock on the table. */
export interface TableSharers {
  /** the table has rows out of other queues, which stay */
  readonly haveRows: () => Promise<boolean>;
  readonly exist: () => Promise<boolean>;
}

/** When and how a table is copied over several connections at once. */
export interface StreamSettings {
  /** 1: never */
  readonly count: number;
  /** smallest table for that */
  readonly minBytes: bigint;
  readonly open: (nr: number) => Promise<CopyStream>;
}

export interface CopiedTable {
  readonly rows: bigint;
  readonly bytes: number;
  /** txid_snapshot text: the transactions of the source that the rows contain */
  readonly snapshot: string;
}

/** A copy that has begun: both tables are locked. */
interface Begun extends TableCopyInput {
  readonly from: Structure;
  readonly to: Structure;
  readonly isJoining: boolean;
  readonly isEmptied: boolean;
  /** COPY statement for the source; `rows` is a condition for only some of the rows */
  readonly copyFrom: (rows?: string) => string;
  /** as SQL: the table that the rows go into first */
  readonly into: string;
  readonly copyInto: string;
  readonly rowChange: ReturnType<typeof rowChange>;
}

/** Copies a table and leaves a transaction of the target open for the caller to store the new state and commit. The source is
 * only read; its writers are not held up.
 *
 * As a rule all of it is that transaction: either all is there, rows, keys and indexes, or nothing has changed. A big table that
 * is emptied anyway is loaded in several streams, which cannot commit as one. There the emptied table is committed first, with
 * the statements that bring its keys back; then the rows, while the table's state says that it is in copy; then the indexes, several
 * at once; then the open transaction makes keys of them. Whatever ends it in between, the next attempt finds the state and the
 * statements, and empties the table again.
 * @throws SkytoolsError, DatabaseError; the caller rolls back
 * Source: spec/londiste.md 8.2, 8.3 with its defect replaced */
export async function copyTable(input: TableCopyInput): Promise<CopiedTable> {
  const { source, log, progress } = input;
  // Locked first: a table that is rewritten after the snapshot was taken looks empty in it.
  await source.execute(`lock table ${quoteFqIdent(input.sourceTable)} in access share mode`);
  const snapshot = await source.queryValue<string>("select txid_current_snapshot()::text");
  if (snapshot === undefined) throw new SkytoolsError("COPY", "no snapshot from the source");
  await input.waitForScripts();
  const from = await TableStructure.load(source, input.sourceTable);
  log.info(`Starting full copy of ${input.table}`);
  await progress.begin({ totalBytes: from.sizeBytes, totalRows: from.estimatedRows });
  const isJoining = await lockTarget(input);
  const to = await TableStructure.load(input.target, input.destination);
  const columns = columnPairs(input, from, to);
  const condition = await rowCondition(input);
  const into = await rowsTable(input, to);
  const copied = await copyRows({
    ...input,
    from,
    to,
    isJoining,
    isEmptied: !input.skipsTruncate && !isJoining,
    copyFrom: (rows) => copyFrom(from, listOf(columns, "source"), condition, rows),
    into,
    copyInto: `copy ${into} (${listOf(columns, "target")}) from stdin`,
    rowChange: rowChange(input, columns),
  });
  return { ...copied, snapshot };
}

async function copyRows(begun: Begun): Promise<{ rows: bigint; bytes: number }> {
  const { source, target, log, table, progress, from, storedDdl } = begun;
  if (begun.isEmptied) await truncate(begun);
  else log.info(`${table}: skipping truncate`);
  const keepsObjects = begun.isJoining || (storedDdl === null && from.sizeBytes < smallTableBytes);
  const stored = storedStatements(storedDdl);
  const dropped = await dropObjects(target, log, begun.to, stored, !keepsObjects);
  const loaded = (await isStreamed(begun)) ? await loadInStreams(begun, dropped) : await loadAtOnce(begun);
  const { rows, bytes } = loaded;
  log.info(`${table}: copy finished: ${bytes} bytes, ${rows} rows`);
  await source.rollback();
  crashPoint("copy.after-data");
  await progress.phase(dropped.length > 0 ? "building indexes" : "finishing", rows);
  const unbuilt = "file" in loaded ? await buildInStreams(begun, dropped, loaded) : dropped;
  await restoreObjects(target, log, table, unbuilt);
  await begun.handler.placeCopiedRows?.(target, log, begun.into);
  await begun.storeDdl(null);
  return { rows, bytes };
}

async function loadAtOnce(begun: Begun): Promise<{ rows: bigint; bytes: number }> {
  const { source, target, progress, isEmptied, to } = begun;
  crashPoint("copy.before-data");
  begun.log.info(`${begun.table}: start copy`);
  await progress.copying([target.backendPid]);
  return pipeCopy(
    source,
    begun.copyFrom(),
    target,
    `${begun.copyInto}${isEmptied && to.kind === "table" ? " with (freeze)" : ""}`,
    { onProgress: (count) => progress.bytes(count), ...begun.rowChange() },
  );
}

/** Only rows that can be thrown away and taken anew are loaded in streams: those of a table that is emptied, and nobody else's. */
async function isStreamed(begun: Begun): Promise<boolean> {
  const { from, to, streams, handler } = begun;
  if (streams.count < 2 || !begun.isEmptied || from.sizeBytes < streams.minBytes) return false;
  if (from.kind !== "table" || to.kind !== "table" || handler.copiesRows === false) return false;
  if (from.accessMethod !== undefined) return false;
  return !(await begun.others.exist());
}

/** Rows that are committed in a table that is not whole yet. */
interface StreamedTable extends StreamedRows {
  /** see tableFile() */
  readonly file: string;
}

async function loadInStreams(begun: Begun, dropped: readonly string[]): Promise<StreamedTable> {
  const { source, target, log, table, to, streams, progress } = begun;
  const targetTable = to.quotedName;
  await begun.storeDdl(ddlScript(dropped));
  const targetFile = await tableFile(target, targetTable);
  const sourceBlocks = await source.queryValue<bigint>(
    `select pg_catalog.pg_relation_size($1::regclass) / pg_catalog.current_setting('block_size')::int8`,
    [begun.from.quotedName],
  );
  await target.commit();
  crashPoint("copy.before-streams");
  log.info(`${table}: start copy in ${streams.count} streams`);
  const pids: number[] = [];
  const copied = await copyInStreams({
    source,
    targetTable,
    targetFile,
    streams: streams.count,
    openStream: async (nr) => {
      const stream = await streams.open(nr);
      pids.push(stream.target.backendPid);
      await progress.copying(pids);
      return stream;
    },
    sourceBlocks: Number(sourceBlocks ?? 0n),
    copyFrom: begun.copyFrom,
    copyInto: begun.copyInto,
    rowChange: begun.rowChange,
    progress,
  });
  return { ...copied, file: targetFile };
}

/** @returns the statements that are left for the open transaction, which has the table locked then */
async function buildInStreams(
  begun: Begun,
  dropped: readonly string[],
  { targets, file }: StreamedTable,
): Promise<readonly string[]> {
  const { target, log, table, to } = begun;
  const targetTable = to.quotedName;
  const left = await buildIndexes({
    log,
    table,
    targetTable,
    targetFile: file,
    sessions: targets,
    statements: dropped,
  });
  await target.execute(`lock table only ${targetTable} in access exclusive mode`);
  if ((await tableFile(target, targetTable)) === file) return left;
  throw new SkytoolsError(
    "COPY",
    `table "${begun.destination}" was emptied or written anew by somebody else`,
    {
      retry: "later",
    },
  );
}

/** Alone with the table, unless rows are only added to those of other queues.
 * @returns true in that case */
async function lockTarget(input: TableCopyInput): Promise<boolean> {
  const { target, destination, others } = input;
  const to = await TableStructure.load(target, destination);
  const table = `${to.kind === "table" ? "only " : ""}${to.quotedName}`;
  if (await others.haveRows()) {
    await target.execute(`lock table ${table} in row exclusive mode`);
    return true;
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
  return others.haveRows();
}

async function truncate(begun: Begun): Promise<void> {
  begun.log.info(`${begun.table}: truncating`);
  const isAlone = begun.to.kind === "table" && begun.handler.copyEmptiesPartitions !== true;
  await begun.target.execute(`truncate ${isAlone ? "only " : ""}${begun.to.quotedName}`);
}

/** A table that is partitioned natively takes no rows before it has their partitions, and which these are the rows say. */
async function rowsTable({ target, handler }: TableCopyInput, to: Structure): Promise<string> {
  if (to.kind === "table" || handler.placeCopiedRows === undefined) return to.quotedName;
  await target.execute(
    `create temporary table londiste_copied (like ${to.quotedName} including defaults including generated including storage) on commit drop`,
  );
  return "pg_temp.londiste_copied";
}

/** @returns undefined: all rows */
async function rowCondition({ handler, target }: TableCopyInput): Promise<string | undefined> {
  return handler.copiesRows === false ? "false" : handler.rowCondition?.(target);
}

/** COPY of a table leaves generated columns and the rows of partitions out; a query has all. */
function copyFrom(
  from: Structure,
  columns: string,
  condition: string | undefined,
  rows: string | undefined,
): string {
  const conditions = [condition, rows].flatMap((each) => (each === undefined ? [] : `(${each})`));
  const where = conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
  if (from.kind !== "table") return `copy (select ${columns} from ${from.quotedName}${where}) to stdout`;
  if (conditions.length > 0 || from.columns.some((column) => column.generated !== undefined)) {
    return `copy (select ${columns} from only ${from.quotedName}${where}) to stdout`;
  }
  return `copy ${from.quotedName} (${columns}) to stdout`;
}
