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

/** On a root: publishes one sequence farther ahead than the others, where the schema can; the original's publishes all alike. Does
 * not commit.
 * @param buffer by how much, in values of the sequence */
export async function publishSequence(
  db: Database,
  queueName: string,
  name: string,
  buffer: bigint,
): Promise<void> {
  const signature = "londiste._publish_seqs(text,bigint,text)";
  if (await db.queryValue<boolean>("select to_regprocedure($1) is not null", [signature])) {
    await db.query("select londiste._publish_seqs($1, $2::int8, $3)", [queueName, buffer, name]);
  } else {
    await db.query("select londiste.root_check_seqs($1, $2::int8)", [queueName, buffer]);
  }
}
