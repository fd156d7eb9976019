import {
  type ConsumerBatch,
  type ConsumerDatabases,
  consumerProgram,
  LocalConsumer,
  type PgqEvent,
} from "@skytools/pgq";
import { DatabaseError, executeWithRetry, type Job, skytoolsVersion } from "@skytools/skytools";
import { eventTypesKey, queryKey, RowQuery } from "../row-query/row-query.ts";
import { targetKey } from "../row-query/target-key.ts";

/** As simple_consumer3, with its position in a file; a query whose connection was lost is tried again where `sql_retry` is
 * set. */
class SimpleLocalConsumer extends LocalConsumer {
  readonly #query: RowQuery;

  constructor(job: Job, databases: ConsumerDatabases) {
    super(job, databases);
    job.databases.setDefaults(targetKey.key, { autocommit: true });
    this.#query = new RowQuery(job);
  }

  protected override async processLocalEvent(event: PgqEvent, batch: ConsumerBatch): Promise<void> {
    const statement = this.#query.statement(event, batch.info);
    if (statement === undefined) return;
    const { rows } = await executeWithRetry(this.job, targetKey.key, statement.sql, statement.values, {
      isRetryable: (error) => error instanceof DatabaseError && error.retry === "reconnect",
    });
    this.#query.report(event, rows.length);
  }
}

/** Source: spec/scripts.md section 8 */
export const simpleLocalConsumer = consumerProgram({
  service: "simple_local_consumer3",
  sectionAliases: ["simple_local_consumer"],
  version: skytoolsVersion,
  summary: "runs a query for each event of a queue, in autocommit mode, with the position in a local file",
  consumer: SimpleLocalConsumer,
  keys: [targetKey, queryKey, eventTypesKey("I:, U:, D:")],
});
