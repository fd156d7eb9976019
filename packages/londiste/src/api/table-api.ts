import { type Database, urlDecodeRow, urlEncodeRow } from "@skytools/skytools";
import { parseTableState, type TableState } from "../replay/table-state.ts";
import { callLondiste, callLondisteForAll, type LondisteCall } from "./londiste-call.ts";

/** A table as a node knows it. */
export interface ReplicatedTable {
  /** name in the whole set, `schema.table`, unquoted */
  readonly name: string;
  /** the table that events are applied to here; the same as `name` unless --dest-table was given */
  readonly destination: string;
  /** false: known in the set, not replicated here */
  readonly isLocal: boolean;
  readonly state: TableState;
  /** transactions that the copied rows contain already; null when events need no filter */
  readonly copySnapshot: string | null;
  readonly attributes: ReadonlyMap<string, string | null>;
  /** merge_state as stored */
  readonly storedState: string | null;
  readonly droppedDdl: string | null;
  /** in a copy into a table that other queues copy into too, see copy/merge-copy.ts */
  readonly copyRole: "lead" | "wait-copy" | "wait-replay" | null;
  /** how many other copies into that table come first */
  readonly copyPosition: number;
}

interface TableListRow {
  table_name: string;
  local: boolean;
  merge_state: string | null;
  custom_snapshot: string | null;
  table_attrs: string | null;
  dropped_ddl: string | null;
  dest_table: string | null;
  copy_role: ReplicatedTable["copyRole"];
  copy_pos: number | null;
}

/** The set's tables on one node, in order of registration. */
export async function getTableList(db: Database, queueName: string): Promise<ReplicatedTable[]> {
  const rows = await db.query<TableListRow>(
    `select table_name, local, merge_state, custom_snapshot, table_attrs, dropped_ddl, dest_table, copy_role, copy_pos
       from londiste.get_table_list($1)`,
    [queueName],
  );
  return rows.map(replicatedTable);
}

/** One table of the list; undefined when the set does not have it here. */
export async function getTable(
  db: Database,
  queueName: string,
  name: string,
): Promise<ReplicatedTable | undefined> {
  const row = await db.queryMaybe<TableListRow>(
    `select t.table_name, t.local, t.merge_state, t.custom_snapshot, t.table_attrs, t.dropped_ddl, t.dest_table,
            c.copy_role, c.copy_pos
       from londiste.table_info t
      cross join lateral londiste._coordinate_copy(t.queue_name,
              case when t.merge_state in ('in-copy', 'catching-up') then t.table_name end) c
      where t.queue_name = $1 and t.table_name = $2`,
    [queueName, name],
  );
  return row && replicatedTable(row);
}

function replicatedTable(row: TableListRow): ReplicatedTable {
  return {
    name: row.table_name,
    destination: row.dest_table ?? row.table_name,
    isLocal: row.local,
    state: parseTableState(row.merge_state),
    copySnapshot: row.custom_snapshot,
    attributes: urlDecodeRow(row.table_attrs ?? ""),
    storedState: row.merge_state,
    droppedDdl: row.dropped_ddl,
    copyRole: row.copy_role,
    copyPosition: row.copy_pos ?? 0,
  };
}

/** The states of some tables, without what else there is to know about a set. Tables that are gone are not in the answer. */
export async function getTableStates(
  db: Database,
  queueName: string,
  names: readonly string[],
): Promise<Map<string, TableState>> {
  const rows = await db.query<{ table_name: string; merge_state: string | null }>(
    `select table_name, merge_state from londiste.table_info
      where queue_name = $1 and table_name = any ($2::text[]) and local`,
    [queueName, [...names]],
  );
  return new Map(rows.map((row) => [row.table_name, parseTableState(row.merge_state)]));
}

export function tableAttributes(attributes: Readonly<Record<string, string | null>>): string | null {
  return Object.keys(attributes).length === 0 ? null : urlEncodeRow(attributes);
}

/** What add-table says to the database. */
export interface NewTable {
  readonly name: string;
  /** trigger arguments and registration tokens */
  readonly triggerArguments: readonly string[];
  readonly attributes: string | null;
  readonly destination: string | null;
}

export async function localAddTable(
  db: Database,
  call: LondisteCall,
  queueName: string,
  table: NewTable,
): Promise<void> {
  await callLondiste(db, call, "select * from londiste.local_add_table($1, $2, $3::text[], $4, $5)", [
    queueName,
    table.name,
    [...table.triggerArguments],
    table.attributes,
    table.destination,
  ]);
}

/** Replaces a table's attributes and renews its triggers. */
export async function localChangeHandler(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
  triggerArguments: readonly string[],
  attributes: string | null,
): Promise<void> {
  await callLondiste(db, call, "select * from londiste.local_change_handler($1, $2, $3::text[], $4)", [
    queueName,
    name,
    [...triggerArguments],
    attributes,
  ]);
}

export async function localSetTableAttributes(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
  attributes: string | null,
): Promise<void> {
  await callLondiste(db, call, "select * from londiste.local_set_table_attrs($1, $2, $3)", [
    queueName,
    name,
    attributes,
  ]);
}

/** DDL that brings back what was dropped for a copy; null: it is back. */
export async function localSetTableStruct(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
  ddl: string | null,
): Promise<void> {
  await callLondiste(db, call, "select * from londiste.local_set_table_struct($1, $2, $3)", [
    queueName,
    name,
    ddl,
  ]);
}

export async function localRemoveTable(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
): Promise<void> {
  await callLondiste(db, call, "select * from londiste.local_remove_table($1, $2)", [queueName, name]);
}

/** In one round trip: who replays the same news waits until the caller's transaction ends. */
export async function globalAddTables(
  db: Database,
  call: LondisteCall,
  queueName: string,
  names: readonly string[],
): Promise<void> {
  const sql = `select f.ret_code, f.ret_note from unnest($2::text[]) with ordinality t(name, nr)
    cross join lateral londiste.global_add_table($1, t.name) f order by t.nr`;
  await callLondisteForAll(db, call, sql, [queueName, [...names]]);
}

export async function globalRemoveTable(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
): Promise<void> {
  await callLondiste(db, call, "select * from londiste.global_remove_table($1, $2)", [queueName, name]);
}

/** Stores state and snapshot as given; see moveTable() for the rules. */
export async function localSetTableState(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
  snapshot: string | null,
  state: string | null,
): Promise<void> {
  await callLondiste(db, call, "select * from londiste.local_set_table_state($1, $2, $3, $4)", [
    queueName,
    name,
    snapshot,
    state,
  ]);
}
