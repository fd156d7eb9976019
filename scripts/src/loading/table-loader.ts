import {
  applyBatch,
  expectedEvents,
  openApplySession,
  openSourceSession,
  type TableFinder,
} from "@skytools/londiste/apply";
import { type ConsumerBatch, type PgqEvent, SerialConsumer } from "@skytools/pgq";
import { type Database, SkytoolsError } from "@skytools/skytools";
import { loadLimits } from "./loading-key.ts";
import { withKeyInType } from "./old-key-list.ts";

/** Brings the row changes of a queue into tables of another database with Londiste's way of applying a batch: streamed, folded on
 * the target, a few statements a table; exactly once, in the transaction that moves the position. Programs say which table an
 * event is for. */
export abstract class TableLoader extends SerialConsumer {
  /** Decides about tables for one batch; asked within the open transaction of `target`. */
  protected abstract tableFinder(batch: ConsumerBatch, target: Database): Promise<TableFinder>;

  /** The events as they are to be understood: a SELECT around that of the batch. */
  protected eventQuery(query: string): string {
    return withKeyInType(query);
  }

  protected override async openSource(): Promise<Database> {
    const { databases, config } = this.job;
    const autocommit = config.getBoolean("pgq_autocommit");
    return databases.get(this.databases.sourceKey, { autocommit, onConnect: openSourceSession });
  }

  protected override async openTarget(): Promise<Database> {
    return this.job.databases.get(this.databases.targetKey, { onConnect: openApplySession });
  }

  /** They are streamed from the source to the target, whatever is configured for fetching. */
  protected override async eventBlocks(): Promise<AsyncIterable<PgqEvent[]>> {
    return nothing();
  }

  protected override async processRemoteBatch(batch: ConsumerBatch, target: Database): Promise<void> {
    const finder = await this.tableFinder(batch, target);
    await batch.events.readElsewhere(async (source, query) => {
      const { info, queueName } = batch;
      const result = await applyBatch({
        source,
        target,
        log: this.job.log,
        batchId: info.batchId,
        tickId: info.tickId,
        tickTime: info.tickTime,
        queueName,
        eventQuery: this.eventQuery(query),
        expectedEvents: expectedEvents(info),
        limits: loadLimits(this.job.config),
        tables: new Map(),
        handlers: new Map(),
        finder,
        onControlEvent: async (event) => this.#passOver(event),
      });
      this.#count("ignored_events", result.ignoredEvents);
      this.#count("row_by_row", result.rowByRowEvents);
      this.#count("missing_rows", result.missingRows);
      return result.eventCount;
    });
  }

  /** What nodes of a cascaded queue tell each other is not for us; a script cannot be left out silently. */
  #passOver({ type, id }: PgqEvent): void {
    if (type !== "EXECUTE") {
      this.job.statistics.increase("skipped", 1);
      return;
    }
    throw new SkytoolsError(
      "SCRIPT_EVENT",
      `event ${id} is a script of londiste's execute, which is not run here`,
      {
        retry: "later",
        hint: "Run on the target what concerns its tables, then leave such events out: consumer_filter = ev_type <> 'EXECUTE'.",
      },
    );
  }

  #count(name: string, count: number): void {
    if (count > 0) this.job.statistics.put(name, count);
  }
}

async function* nothing(): AsyncGenerator<PgqEvent[], void> {}
