import {
  type ConsumedEvent,
  Consumer,
  type ConsumerBatch,
  type ConsumerDatabases,
  consumerProgram,
} from "@skytools/pgq";
import { type Job, skytoolsVersion } from "@skytools/skytools";
import { eventTypesKey, queryKey, RowQuery } from "../row-query/row-query.ts";
import { targetKey } from "../row-query/target-key.ts";

/** Runs a query for each event, each in a transaction of its own. A failure brings the whole batch again. */
class SimpleConsumer extends Consumer {
  readonly #query: RowQuery;

  constructor(job: Job, databases: ConsumerDatabases) {
    super(job, databases);
    this.#query = new RowQuery(job);
  }

  protected override async processEvent(
    event: ConsumedEvent,
    batch: ConsumerBatch<ConsumedEvent>,
  ): Promise<void> {
    const statement = this.#query.statement(event, batch.info);
    if (statement === undefined) return;
    const target = await this.job.databases.get(targetKey.key, { autocommit: true });
    const rows = await target.query(statement.sql, statement.values);
    this.#query.report(event, rows.length);
  }
}

/** Source: spec/scripts.md section 8 */
export const simpleConsumer = consumerProgram({
  service: "simple_consumer3",
  sectionAliases: ["simple_consumer"],
  version: skytoolsVersion,
  summary: "runs a query for each event of a queue, in autocommit mode",
  consumer: SimpleConsumer,
  keys: [targetKey, queryKey, eventTypesKey("I:, U:, D:")],
});
