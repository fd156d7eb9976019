import { type Database, quoteIdent } from "@skytools/skytools";

/* The only file that spells pgq_ext.* calls: what a consumer has done, kept in the database where it did it. None of these
 * functions commits: they belong into the transaction of the work. The key is the consumer's name alone.
 * Source: spec/pgq-library.md A7 */

/** @param schema normally pgq_ext */
export class CompletedWork {
  readonly #schema: string;
  readonly #consumerName: string;

  constructor(schema: string, consumerName: string) {
    this.#schema = quoteIdent(schema);
    this.#consumerName = consumerName;
  }

  /** whether this is the last batch that was recorded */
  async isBatchDone(target: Database, batchId: bigint): Promise<boolean> {
    const sql = `select ${this.#schema}.is_batch_done($1, $2::int8)`;
    return (await target.queryValue<boolean>(sql, [this.#consumerName, batchId])) === true;
  }

  async setBatchDone(target: Database, batchId: bigint): Promise<void> {
    await target.query(`select ${this.#schema}.set_batch_done($1, $2::int8)`, [this.#consumerName, batchId]);
  }

  /** the last tick that was recorded, undefined when there is none */
  async lastTick(target: Database): Promise<bigint | undefined> {
    const sql = `select ${this.#schema}.get_last_tick($1)`;
    const tick = await target.queryValue<bigint | null>(sql, [this.#consumerName]);
    return tick === undefined || tick === null || tick === 0n ? undefined : tick;
  }

  /** @param tickId undefined: forget the tick */
  async setLastTick(target: Database, tickId: bigint | undefined): Promise<void> {
    await target.query(`select ${this.#schema}.set_last_tick($1, $2::int8)`, [
      this.#consumerName,
      tickId ?? null,
    ]);
  }
}
