import type { Database, Log } from "@skytools/skytools";
import { DatabaseError } from "@skytools/skytools";
import type { ReplicatedTable } from "../londiste-api.ts";
import type { RowEventKind } from "./event-kind.ts";
import type { ColumnSamples, StagedGroup } from "./event-stage.ts";
import { type SetCounts, setStatement } from "./set-statement.ts";
import type { TargetColumn, TargetTable } from "./target-table.ts";

/** The row events of one table in one segment of a batch. */
export interface TableEvents {
  readonly replicated: ReplicatedTable;
  readonly groups: readonly (StagedGroup & { readonly kind: RowEventKind })[];
  readonly count: bigint;
}

/** Ids that bound a segment, exclusive. */
export interface SegmentBounds {
  readonly afterId: bigint | null;
  readonly beforeId: bigint | null;
}

export type SetOutcome =
  | { readonly isApplied: true; readonly missingRows: bigint }
  /** nothing is changed; the events have to go row by row */
  | { readonly isApplied: false; readonly reason: string };

/** Applies the events of one table with one statement, behind a savepoint, where that is sure to give the same as event by event.
 * @throws DatabaseError when the session or the transaction is lost, not for errors that the data causes */
export async function applyAsSet(
  target: Database,
  log: Log,
  events: TableEvents,
  table: TargetTable,
  bounds: SegmentBounds,
  samples: ColumnSamples,
): Promise<SetOutcome> {
  const plan = planSet(events, table, samples);
  if (typeof plan === "string") return { isApplied: false, reason: plan };
  const sql = setStatement({
    table,
    setName: events.replicated.name,
    types: events.groups.map((group) => ({ type: group.type ?? "", operation: group.kind.operation })),
    ...plan,
    ...bounds,
  });
  try {
    const rows = await target.query<SetCounts>(`savepoint londiste_set; ${sql}`);
    await target.execute("release savepoint londiste_set");
    const counts = rows[0]!;
    log.debug(
      `${table.name}: ${counts.inserted} inserted, ${counts.updated} updated, ${counts.deleted} deleted as a set`,
    );
    return { isApplied: true, missingRows: counts.missing_rows };
  } catch (error) {
    if (!(error instanceof DatabaseError) || !isCausedByData(error) || target.isBroken) throw error;
    await target.execute("rollback to savepoint londiste_set; release savepoint londiste_set");
    return { isApplied: false, reason: error.message };
  }
}

/** Errors that say something about rows, columns or types, so that going row by row can succeed or will name the event. */
function isCausedByData(error: DatabaseError): boolean {
  const state = error.sqlState ?? "";
  return /^(?:21|22|23|42|2B|2F|44|P0|0A|54|27|XX)/.test(state);
}

interface SetColumns {
  readonly columns: readonly TargetColumn[];
  readonly key: readonly TargetColumn[];
}

/** Why the events cannot be applied as a set, or the columns to do it with. */
function planSet(events: TableEvents, table: TargetTable, samples: ColumnSamples): SetColumns | string {
  const { groups } = events;
  if (groups.some((group) => group.kind.format !== "json")) return "event format";
  const key = groups[0]!.kind.key ?? [];
  if (groups.some((group) => group.kind.key?.join("\0") !== key.join("\0"))) return "the key changes within the batch";
  const names = commonColumns(groups, samples);
  if (names === undefined) return "the columns change within the batch";
  const generated = new Set(table.columns.filter((column) => column.isGenerated).map((column) => column.name));
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const written = names.filter((name) => !generated.has(name));
  const columns = written.flatMap((name) => byName.get(name) ?? []);
  if (columns.length < written.length) return "a column is missing on this node";
  const keyColumns = key.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  const operations = new Set(groups.map((group) => group.kind.operation));
  const isInsertOnly = operations.size === 1 && operations.has("insert");
  if (columns.length === 0) return "events without columns";
  if (!isInsertOnly && (keyColumns.length === 0 || keyColumns.length < key.length)) return "no usable key";
  const movesIdentity = columns.some((column) => column.isIdentityAlways && !key.includes(column.name));
  if (movesIdentity && operations.has("insert") && operations.has("delete")) return "identity column outside the key";
  return { columns, key: keyColumns };
}

/** The columns that all events of a table have; undefined when they differ. */
function commonColumns(groups: readonly StagedGroup[], samples: ColumnSamples): readonly string[] | undefined {
  let common: readonly string[] | undefined;
  for (const id of groups.flatMap((group) => [group.minId, group.maxId])) {
    const names = samples.get(id);
    if (names === undefined) return undefined;
    common ??= names;
    if (names.join("\0") !== common.join("\0")) return undefined;
  }
  return common;
}
