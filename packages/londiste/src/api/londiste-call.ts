import type { Database, Log } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";

/* Functions that read leave the transaction open; functions that change something log the note, throw for a refusal, and commit
 * unless told otherwise. Source: spec/sql-node-londiste.md section 7 */

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
export async function callLondiste(
  db: Database,
  call: LondisteCall,
  sql: string,
  parameters: readonly unknown[],
): Promise<void> {
  await takeAnswers(db, call, [await db.queryOne<Answer>(sql, parameters)]);
}

/** The same for a statement that calls a function for several objects: one answer a row. */
export async function callLondisteForAll(
  db: Database,
  call: LondisteCall,
  sql: string,
  parameters: readonly unknown[],
): Promise<void> {
  await takeAnswers(db, call, await db.query<Answer>(sql, parameters));
}

interface Answer {
  readonly ret_code: number;
  readonly ret_note: string;
}

async function takeAnswers(db: Database, call: LondisteCall, answers: readonly Answer[]): Promise<void> {
  for (const answer of answers) await takeAnswer(db, call, answer);
  if (call.commit !== false) await db.commit();
}

async function takeAnswer(
  db: Database,
  call: LondisteCall,
  { ret_code: code, ret_note: note }: Answer,
): Promise<void> {
  if (code >= 400) {
    if (call.commit !== false) await db.rollback();
    const hint = hints.find(([beginning]) => note.startsWith(beginning))?.[1];
    throw new SkytoolsError("LONDISTE", `${note} (${db.label})`, hint === undefined ? {} : { hint });
  }
  if (code >= 300) call.log.warn(note);
  else if (code >= 200 && call.quiet !== true) call.log.info(note);
  else call.log.debug(`${code} ${note}`);
}
