import {
  applyBatch,
  expectedEvents,
  openApplySession,
  openSourceSession,
  type TableFinder,
} from "@skytools/londiste/apply";
import type { PgqEvent } from "@skytools/pgq";
import {
  type BatchOutcome,
  type CascadedApplication,
  type CascadedBatch,
  isCascadeEvent,
  unhandledEvent,
} from "@skytools/pgq/cascade";
import { type Database, fqName, type Job } from "@skytools/skytools";
import { loadLimits } from "../loading/loading-key.ts";
import { withKeyInType } from "../loading/old-key-list.ts";
import { needsSink, tableHandler } from "./table-rules.ts";
import { tableSections, tableSettings } from "./table-settings.ts";

/** The worker of a node whose tables are loaded as the configuration says, with Londiste's way of applying a batch. */
export class QueueLoader implements CascadedApplication {
  readonly #job: Job;
  /** tables that were told to be ignored */
  readonly #toldIgnored = new Set<string>();

  constructor(job: Job) {
    this.#job = job;
  }

  async reload(): Promise<void> {
    this.#toldIgnored.clear();
  }

  async connectTarget(target: Database): Promise<void> {
    await openApplySession(target);
  }

  async connectSource(source: Database): Promise<void> {
    await openSourceSession(source);
  }

  async applyBatch(batch: CascadedBatch): Promise<BatchOutcome> {
    const { source, target, queueName, role } = batch;
    const { batchId, tickId, tickTime } = batch.batch;
    const { config, log, statistics } = this.#job;
    const result = await applyBatch({
      source,
      target,
      log,
      batchId,
      tickId,
      tickTime,
      queueName,
      eventQuery: withKeyInType(await batch.eventQuery()),
      expectedEvents: expectedEvents(batch.batch),
      limits: loadLimits(config),
      tables: new Map(),
      handlers: new Map(),
      ...(role.appliesData ? { finder: this.#tableFinder() } : {}),
      onControlEvent: (event) => applyControlEvent(batch, event),
    });
    if (result.ignoredEvents > 0) statistics.put("ignored_events", result.ignoredEvents);
    if (result.rowByRowEvents > 0) statistics.put("row_by_row", result.rowByRowEvents);
    if (result.missingRows > 0) statistics.put("missing_rows", result.missingRows);
    return { eventCount: result.eventCount, maxEventId: result.maxEventId };
  }

  #tableFinder(): TableFinder {
    const { config } = this.#job;
    const renamed = new Map(
      [...config.getDict("rename_tables")].map(([from, to]) => [fqName(from), fqName(to)]),
    );
    const own = [...tableSections(config).keys()];
    const others = tableSettings(config, "");
    const isNeeded = (table: string) => needsSink(tableSettings(config, table));
    return {
      dataOf: others.tableMode === "ignore" ? own : "all",
      wholeEventsOf: needsSink(others) ? "all" : own.filter(isNeeded),
      find: async ({ table }) => {
        const settings = tableSettings(config, table);
        if (settings.tableMode === "ignore") {
          this.#tellIgnored(table);
          return undefined;
        }
        const destination = renamed.get(table) ?? table;
        return { destination, handler: tableHandler(settings, destination) };
      },
    };
  }

  #tellIgnored(table: string): void {
    if (this.#toldIgnored.has(table)) return;
    this.#toldIgnored.add(table);
    this.#job.log.info(`Events of table ${table} are ignored: its table_mode says so`);
  }
}

/** Other events than those of rows are the cascade's, or nobody's. */
async function applyControlEvent(batch: CascadedBatch, event: PgqEvent): Promise<void> {
  if (isCascadeEvent(event)) return batch.applyCascadeEvent(event);
  if (batch.role.appliesData) throw unhandledEvent(batch.queueName, event);
}
