import type { Database } from "@skytools/skytools";
import { callLondiste, type LondisteCall } from "./londiste-call.ts";

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
  await callLondiste(db, call, "select * from londiste.local_add_seq($1, $2)", [queueName, name]);
}

export async function localRemoveSequence(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
): Promise<void> {
  await callLondiste(db, call, "select * from londiste.local_remove_seq($1, $2)", [queueName, name]);
}

export async function globalUpdateSequence(
  db: Database,
  call: LondisteCall,
  queueName: string,
  name: string,
  value: bigint,
): Promise<void> {
  await callLondiste(db, call, "select * from londiste.global_update_seq($1, $2, $3::int8)", [
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
  await callLondiste(db, call, "select * from londiste.global_remove_seq($1, $2)", [queueName, name]);
}

/** On a root: publishes sequences that have come close to their published value. */
export async function rootCheckSequences(db: Database, call: LondisteCall, queueName: string): Promise<void> {
  await callLondiste(db, call, "select * from londiste.root_check_seqs($1)", [queueName]);
}
