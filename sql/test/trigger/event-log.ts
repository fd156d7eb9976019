import type { Database } from "@skytools/skytools";

/** What a trigger put into an event, and nothing that depends on time or numbering. */
export interface LoggedEvent {
  readonly type: string | null;
  readonly data: string | null;
  /** ev_extra1 .. ev_extra4 */
  readonly extra: readonly (string | null)[];
}

interface EventRow {
  readonly ev_id: bigint;
  readonly ev_type: string | null;
  readonly ev_data: string | null;
  readonly ev_extra1: string | null;
  readonly ev_extra2: string | null;
  readonly ev_extra3: string | null;
  readonly ev_extra4: string | null;
}

/** Reads a queue's events bit by bit. */
export class EventLog {
  readonly #db: Database;
  readonly #queue: string;
  #last = 0n;

  constructor(db: Database, queue = "q") {
    this.#db = db;
    this.#queue = queue;
  }

  /** The events added since the last call, in order of their ids. */
  async added(): Promise<LoggedEvent[]> {
    const prefix = await this.#db.queryValue<string>(
      "select queue_data_pfx from pgq.queue where queue_name = $1",
      [this.#queue],
    );
    const rows = await this.#db.query<EventRow>(
      `select ev_id, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from ${prefix}
        where ev_id > $1 order by ev_id`,
      [this.#last],
    );
    this.#last = rows.at(-1)?.ev_id ?? this.#last;
    return rows.map((row) => ({
      type: row.ev_type,
      data: row.ev_data,
      extra: [row.ev_extra1, row.ev_extra2, row.ev_extra3, row.ev_extra4],
    }));
  }

  /** Runs statements and returns the events they added. */
  async of(sql: string): Promise<LoggedEvent[]> {
    await this.#db.execute(sql);
    return this.added();
  }

  /** The same, only type and data: `type / data`. */
  async brief(sql: string): Promise<string[]> {
    return (await this.of(sql)).map((event) => `${event.type} / ${event.data}`);
  }
}
