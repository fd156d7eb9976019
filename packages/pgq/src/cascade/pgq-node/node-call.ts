import type { Database, Log } from "@skytools/skytools";
import { execCommand } from "@skytools/skytools";

/** How a changing call is logged and whether it ends the transaction. */
export interface NodeCall {
  readonly log: Log;
  /** name of the node in front of the note, for calls to another node */
  readonly prefix?: string;
  /** success is debug output */
  readonly quiet?: boolean;
  /** default true */
  readonly commit?: boolean;
  /** for the replay of events: inside the caller's transaction, the return code is logged but not judged */
  readonly isReplay?: boolean;
}

export async function change<R extends object>(
  db: Database,
  call: NodeCall,
  sql: string,
  parameters: readonly unknown[],
): Promise<R[]> {
  const { log, isReplay, ...options } = call;
  if (isReplay) {
    const rows = await db.query<R & { ret_code: number; ret_note: string | null }>(sql, parameters);
    for (const row of rows) log.debug(`${row.ret_code} ${row.ret_note ?? ""}`);
    return rows;
  }
  return execCommand<R>(db, log, sql, parameters, options);
}

/** What the node says when it does not know a queue or consumer. */
export interface Refusal {
  readonly code: number;
  readonly note: string;
}

export function isRefusal(answer: object): answer is Refusal {
  return "code" in answer && "note" in answer;
}
