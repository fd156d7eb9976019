import {
  type ConsumerBatch,
  type ConsumerDatabases,
  consumerProgram,
  type PgqEvent,
  SerialConsumer,
} from "@skytools/pgq";
import { type Database, type Job, skytoolsVersion } from "@skytools/skytools";
import { eventTypesKey, queryKey, RowQuery } from "../row-query/row-query.ts";

/** Runs a query for each event, those of a batch in one transaction of the target that also moves the position: once. */
class SimpleSerialConsumer extends SerialConsumer {
  readonly #query: RowQuery;

  constructor(job: Job, databases: ConsumerDatabases) {
    super(job, databases);
    this.#query = new RowQuery(job);
  }

  protected override async processRemoteEvent(
    event: PgqEvent,
    target: Database,
    batch: ConsumerBatch,
  ): Promise<void> {
    const statement = this.#query.statement(event, batch.info);
    if (statement === undefined) return;
    const rows = await target.query(statement.sql, statement.values);
    this.#query.report(event, rows.length);
  }
}

/** Source: spec/scripts.md section 8 */
export const simpleSerialConsumer = consumerProgram({
  service: "simple_serial_consumer3",
  sectionAliases: ["simple_serial_consumer"],
  version: skytoolsVersion,
  summary: "runs a query for each event of a queue, exactly once",
  consumer: SimpleSerialConsumer,
  keys: [queryKey, eventTypesKey("")],
});
