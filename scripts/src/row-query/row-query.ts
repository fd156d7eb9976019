import type { BatchInfo, PgqEvent } from "@skytools/pgq";
import { type ConfigKey, type Job, SkytoolsError } from "@skytools/skytools";
import { eventParameters } from "./event-parameters.ts";
import { NamedQuery } from "./named-query.ts";

/** Key of the query that is run for each event. */
export const queryKey: ConfigKey = {
  key: "dst_query",
  type: "string",
  required: true,
  template: "live",
  example: "select * from dst_func(%%(pgq.ev_id)s, %%(col1)s)",
  doc: "run for each event; parameters are the columns of its row and pgq.tick_id, pgq.ev_id, pgq.ev_time, pgq.ev_type, pgq.ev_data, pgq.ev_extra1 .. pgq.ev_extra4",
};

/** @param types default of the key */
export function eventTypesKey(types: string): ConfigKey {
  return {
    key: "event_types",
    type: "list",
    default: types,
    doc: "take events whose type begins with one of these, others are skipped and counted; empty: take all",
  };
}

/** What the simple consumers do with an event: run the configured query with its values. */
export class RowQuery {
  readonly #job: Job;
  #compiled: { readonly text: string; readonly query: NamedQuery } | undefined;

  constructor(job: Job) {
    this.#job = job;
    this.#query();
  }

  /** The statement for an event, undefined when its type is not wanted. */
  statement(event: PgqEvent, batch: BatchInfo): { sql: string; values: unknown[] } | undefined {
    const { config, statistics } = this.#job;
    const types = config.getList("event_types");
    if (types.length > 0 && !types.some((type) => event.type?.startsWith(type) === true)) {
      statistics.increase("skipped", 1);
      return undefined;
    }
    const query = this.#query();
    return { sql: query.sql, values: query.bind(eventParameters(event, batch)) };
  }

  /** What the query returned is of interest to nobody but its author. */
  report(event: PgqEvent, rowCount: number): void {
    this.#job.log.debug(`event ${event.id}: ${rowCount} rows`);
  }

  /** The configuration may have been read again. @throws ConfigError */
  #query(): NamedQuery {
    const { config } = this.#job;
    const text = config.get("dst_query");
    if (this.#compiled?.text !== text) {
      try {
        this.#compiled = { text, query: new NamedQuery(text) };
      } catch (error) {
        if (!(error instanceof SkytoolsError)) throw error;
        throw config.error("dst_query", error.message, error.hint);
      }
    }
    return this.#compiled.query;
  }
}
