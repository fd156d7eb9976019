import type { Database, Log } from "@skytools/skytools";
import { SkytoolsError, urlDecodeRow, urlEncodeRow } from "@skytools/skytools";
import { parseTableState, type TableState } from "./replay/table-state.ts";

/* The only file that spells londiste.* calls. Functions that read leave the transaction open; functions that change something
 * log the note, throw for a refusal, and commit unless told otherwise. Source: spec/sql-node-londiste.md section 7 */

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
  return rows.map((row) => ({
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
  }));
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

/** How a changing call is logged and whether it ends the transaction. */
export interface LondisteCall {
  readonly log: Log;
  /** success is debug output */
  readonly quiet?: boolean;
  /** default true */
  readonly commit?: boolean;
}

/** What to do about refusals of the schema, by how they begin. */
const hints: readonly (readonly [beginning: string, hint: string])[] = [
  ["Primary key missing on table", "Give it one: rows are found by their key on the other nodes."],
  [
    "Primary key is deferrable",
    "Two rows may have the same key within a transaction then, and their events look alike. Make the key not deferrable, or name columns that are always unique with --trigger-arg=pkey=COLUMNS.",
  ],
  ["Table does not exist", "Create it first, or let --create do it."],
  ["Sequence not found", "Create it first, or let --create do it."],
];

/** As execCommand of the framework does, but a refusal is only thrown: whoever reports the error logs it, once. */
async function change(
  db: Database,
  call: LondisteCall,
  sql: string,
  parameters: readonly unknown[],
): Promise<void> {
  const { ret_code: code, ret_note: note } = await db.queryOne<{ ret_code: number; ret_note: string }>(
    sql,
    parameters,
  );
  if (code >= 400) {
    if (call.commit !== false) await db.rollback();
    const hint = hints.find(([beginning]) => note.startsWith(beginning))?.[1];
    throw new SkytoolsError("LONDISTE", `${note} (${db.label})`, hint === undefined ? {} : { hint });
  }
  if (code >= 300) call.log.warn(note);
  else if (code >= 200 && call.quiet !== true) call.log.info(note);
  else call.log.debug(`${code} ${note}`);
  if (call.commit !== false) await db.commit();
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
  await change(db, call, "select * from londiste.local_add_table($1, $2, $3::text[], $4, $5)", [
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
  await change(db, call, "select * from londiste.local_change_handler($1, $2, $3::text[], $4)", [
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
  await change(db, call, "select * from londiste.local_set_table_attrs($1, $2, $3)", [
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
  await change(db, call, "select * from londiste.local_set_table_struct($1, $2, $3)", [queueName, name, ddl]);
}

export async function localRemoveTable(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
): Promise<void> {
  await change(db, call, "select * from londiste.local_remove_table($1, $2)", [queueName, name]);
}

export async function globalAddTable(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
): Promise<void> {
  await change(db, call, "select * from londiste.global_add_table($1, $2)", [queueName, name]);
}

export async function globalRemoveTable(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
): Promise<void> {
  await change(db, call, "select * from londiste.global_remove_table($1, $2)", [queueName, name]);
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
  await change(db, call, "select * from londiste.local_set_table_state($1, $2, $3, $4)", [
    queueName,
    name,
    snapshot,
    state,
  ]);
}

/** A sequence as a node knows it. */
export interface ReplicatedSequence {
  readonly name: string;
  readonly isLocal: boolean;
  /** value last published by the root */
  readonly lastValue: bigint;
}

export async function getSequenceList(db: Database, queueName: string): Promise<ReplicatedSequence[]> {
  const rows = await db.query<{ seq_name: string; last_value: bigint; local: boolean }>(
    "select seq_name, last_value, local from londiste.get_seq_list($1)",
    [queueName],
  );
  return rows.map((row) => ({ name: row.seq_name, isLocal: row.local, lastValue: row.last_value }));
}

export async function localAddSequence(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
): Promise<void> {
  await change(db, call, "select * from londiste.local_add_seq($1, $2)", [queueName, name]);
}

export async function localRemoveSequence(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
): Promise<void> {
  await change(db, call, "select * from londiste.local_remove_seq($1, $2)", [queueName, name]);
}

export async function globalUpdateSequence(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
  value: bigint,
): Promise<void> {
  await change(db, call, "select * from londiste.global_update_seq($1, $2, $3::int8)", [
    queueName,
    name,
    value,
  ]);
}

export async function globalRemoveSequence(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
): Promise<void> {
  await change(db, call, "select * from londiste.global_remove_seq($1, $2)", [queueName, name]);
}

/** On a root: publishes sequences that have come close to their published value. */
export async function rootCheckSequences(db: Database, call: LondisteCall, queueName: string): Promise<void> {
  await change(db, call, "select * from londiste.root_check_seqs($1)", [queueName]);
}

/** Something that is in the database (on a root) or in the set (elsewhere) and not replicated here. */
export interface MissingObject {
  readonly kind: "r" | "S" | "p";
  readonly name: string;
}

export async function localShowMissing(db: Database, queueName: string): Promise<MissingObject[]> {
  const rows = await db.query<{ obj_kind: MissingObject["kind"]; obj_name: string }>(
    "select obj_kind, obj_name from londiste.local_show_missing($1)",
    [queueName],
  );
  return rows.map((row) => ({ kind: row.obj_kind, name: row.obj_name }));
}

/** A foreign key that was taken away for a copy, or is about to be. */
export interface ForeignKey {
  readonly fromTable: string;
  readonly toTable: string;
  readonly name: string;
}

interface ForeignKeyRow {
  from_table: string;
  to_table: string;
  fkey_name: string;
}

function foreignKeys(rows: readonly ForeignKeyRow[]): ForeignKey[] {
  return rows.map((row) => ({ fromTable: row.from_table, toTable: row.to_table, name: row.fkey_name }));
}

/** Foreign keys from or to a table. */
export async function findTableForeignKeys(db: Database, destination: string): Promise<ForeignKey[]> {
  const sql = "select from_table, to_table, fkey_name from londiste.find_table_fkeys($1)";
  return foreignKeys(await db.query<ForeignKeyRow>(sql, [destination]));
}

/** Dropped foreign keys that this queue is to restore now. */
export async function getValidPendingForeignKeys(db: Database, queueName: string): Promise<ForeignKey[]> {
  const sql = "select from_table, to_table, fkey_name from londiste.get_valid_pending_fkeys($1)";
  return foreignKeys(await db.query<ForeignKeyRow>(sql, [queueName]));
}

/** Drops a foreign key and remembers its definition. */
export async function dropTableForeignKey(db: Database, key: ForeignKey): Promise<void> {
  await db.query("select londiste.drop_table_fkey($1, $2)", [key.fromTable, key.name]);
}

/** One step of the lazy restoration: the statement to run next in the same transaction, or "" when the key is back. */
export async function restoreTableForeignKey(db: Database, key: ForeignKey): Promise<string> {
  const sql = "select londiste.restore_table_fkey($1, $2, true) as statement";
  return (await db.queryOne<{ statement: string | null }>(sql, [key.fromTable, key.name])).statement ?? "";
}

/** Sets the replication role through the helper that an unprivileged worker may be granted. */
export async function setReplicationRole(
  db: Database,
  role: "replica" | "local" | "origin",
  isLocal: boolean,
): Promise<void> {
  await db.query("select londiste.set_session_replication_role($1, $2)", [role, isLocal]);
}

/** True when the ordinary table (or partitioned table) exists. */
export async function tableExists(db: Database, name: string): Promise<boolean> {
  const sql = "select londiste.find_table_oid($1) is not null as found";
  return (await db.queryOne<{ found: boolean }>(sql, [name])).found;
}

export async function sequenceExists(db: Database, name: string): Promise<boolean> {
  const sql = "select londiste.find_seq_oid($1) is not null as found";
  return (await db.queryOne<{ found: boolean }>(sql, [name])).found;
}
