import { type Database, quoteIdent } from "@skytools/skytools";
import type { EventTag } from "./consumer/event-tag.ts";

/* The only file that spells pgq_ext.* calls: what a consumer has done, kept in the database where it did it. None of these
 * functions commits: they belong into the transaction of the work. The key is the consumer's name alone.
 * Source: spec/pgq-library.md A7 */

interface TagRow {
  event_id: bigint;
  retry_seconds: number | null;
  failed_reason: string | null;
}

function tagOf({ retry_seconds: seconds, failed_reason: reason }: TagRow): EventTag {
  return seconds === null ? { kind: "failed", reason: reason ?? "" } : { kind: "retry", seconds };
}

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

  /** The module keeps tags; those of earlier releases and the original do not. */
  async keepsTags(target: Database): Promise<boolean> {
    const signature = `${this.#schema}.tag_events(text,bigint,bigint[],integer[],text[])`;
    return (await target.queryValue<boolean>("select to_regprocedure($1) is not null", [signature])) === true;
  }

  /** Records tags of events of the batch in work; tags of earlier batches are forgotten. */
  async tagEvents(
    target: Database,
    batchId: bigint,
    tags: readonly (readonly [bigint, EventTag])[],
  ): Promise<void> {
    await target.query(
      `select ${this.#schema}.tag_events($1, $2::int8, $3::int8[], $4::int4[], $5::text[])`,
      [
        this.#consumerName,
        batchId,
        tags.map(([id]) => id),
        tags.map(([, tag]) => (tag.kind === "retry" ? tag.seconds : null)),
        tags.map(([, tag]) => (tag.kind === "failed" ? tag.reason : null)),
      ],
    );
  }

  /** The recorded tags of a batch, by event id, so many at a time. */
  async *eventTags(
    target: Database,
    batchId: bigint,
    mostTags: number,
  ): AsyncGenerator<[bigint, EventTag][], void> {
    for (let after = -1n; ; ) {
      const rows = await target.query<TagRow>(
        `select * from ${this.#schema}.get_event_tags($1, $2::int8, $3::int8, $4::int4)`,
        [this.#consumerName, batchId, after, mostTags],
      );
      const last = rows.at(-1);
      if (last === undefined) return;
      yield rows.map((row) => [row.event_id, tagOf(row)]);
      if (rows.length < mostTags) return;
      after = last.event_id;
    }
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
