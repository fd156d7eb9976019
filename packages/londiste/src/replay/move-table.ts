import type { Database, Log } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";
import { localSetTableState } from "../londiste-api.ts";
import { formatTableState, parseTableState, type TableState } from "./table-state.ts";
import { eventActor, nextState, type TableEvent } from "./table-state-machine.ts";

/** Where to move a table. */
export interface TableMove {
  readonly queueName: string;
  /** set-wide name */
  readonly table: string;
  readonly event: TableEvent;
  /** for caught-up and grant, see nextState() */
  readonly tick?: bigint;
  /** snapshot to store with the new state; default: none */
  readonly snapshot?: string;
}

export type MoveResult =
  | { readonly isMoved: true; readonly state: TableState }
  /** the table is in a state in which that does not happen: somebody else moved it first */
  | { readonly isMoved: false; readonly reason: string };

interface LockedRow {
  readonly state: TableState;
  readonly snapshot: string | null;
}

/** Moves a table on, as a compare-and-set within the open transaction, which the caller commits: the row is locked, the
 * transition is looked up for the state found there. */
export async function moveTable(target: Database, log: Log, move: TableMove): Promise<MoveResult> {
  const row = await lockTableRow(target, move.queueName, move.table);
  if (row === undefined) return { isMoved: false, reason: "the table is not replicated here" };
  if (move.event === "caught-up" && row.snapshot !== null) {
    throw new SkytoolsError(
      "TABLE_STATE",
      `table "${move.table}" asked for hand-over with its copy snapshot still in place`,
    );
  }
  const next = nextState(row.state, move.event, move.tick);
  if (!next.isMove) return { isMoved: false, reason: next.reason };
  const stored = formatTableState(next.state);
  const isCopy = eventActor[move.event] === "copy" ? 1 : 0;
  log.info(`storing state of ${move.table}: copy:${isCopy} new_state:${stored ?? "None"}`);
  const call = { log, quiet: true, commit: false };
  await localSetTableState(target, call, move.queueName, move.table, move.snapshot ?? null, stored);
  log.info(`Table ${move.table} status changed to '${stored ?? "None"}'`);
  return { isMoved: true, state: next.state };
}

/** Forgets the snapshot that came with a table's rows: all events from here on are later than the rows. Within the open
 * transaction; nothing happens when the table has left the state in which it was copied. */
export async function dropCopySnapshot(
  target: Database,
  log: Log,
  queueName: string,
  table: string,
): Promise<void> {
  const row = await lockTableRow(target, queueName, table);
  if (row === undefined || row.snapshot === null) return;
  const call = { log, quiet: true, commit: false };
  await localSetTableState(target, call, queueName, table, null, formatTableState(row.state));
}

async function lockTableRow(
  target: Database,
  queueName: string,
  table: string,
): Promise<LockedRow | undefined> {
  const row = await target.queryMaybe<{ merge_state: string | null; custom_snapshot: string | null }>(
    `select merge_state, custom_snapshot from londiste.table_info
      where queue_name = $1 and table_name = $2 and local for update`,
    [queueName, table],
  );
  if (row === undefined) return undefined;
  return { state: parseTableState(row.merge_state), snapshot: row.custom_snapshot };
}
