import { type Database, SkytoolsError } from "@skytools/skytools";

/** Calls Londiste's functions for one queue. Each returns code and note, `200 Table added: public.t`.
 * Source: spec/sql-node-londiste.md */
export class LondisteCall {
  readonly #db: Database;
  readonly #queue: string;

  constructor(db: Database, queue: string) {
    this.#db = db;
    this.#queue = queue;
  }

  addTable(table: string, triggerArguments: readonly string[]): Promise<string> {
    return this.#call("select * from londiste.local_add_table($1, $2, $3::text[])", [
      table,
      [...triggerArguments],
    ]);
  }

  removeTable(table: string): Promise<string> {
    return this.#call("select * from londiste.local_remove_table($1, $2)", [table]);
  }

  addSequence(sequence: string): Promise<string> {
    return this.#call("select * from londiste.local_add_seq($1, $2)", [sequence]);
  }

  removeSequence(sequence: string): Promise<string> {
    return this.#call("select * from londiste.local_remove_seq($1, $2)", [sequence]);
  }

  /** @throws SkytoolsError LONDISTE for a code of 400 and above: the caller rolls back */
  async #call(sql: string, parameters: readonly unknown[]): Promise<string> {
    const { ret_code: code, ret_note: note } = await this.#db.queryOne<{
      ret_code: number;
      ret_note: string;
    }>(sql, [this.#queue, ...parameters]);
    if (code >= 400) throw new SkytoolsError("LONDISTE", `${code} ${note}`);
    return `${code} ${note}`;
  }
}
