import { type Database, pipeCopy, SkytoolsError } from "@skytools/skytools";
import type { eventColumns, PgqEvent } from "../event.ts";

type EventColumn = (typeof eventColumns)[number];

/** Where the events of a batch come from. */
export interface EventSource<E> {
  readonly db: Database;
  /** the events in blocks */
  readonly blocks: AsyncIterable<E[]>;
  /** gives the query for the same events, in the columns of `eventColumns` */
  readonly query: () => Promise<string>;
}

/** The events of a batch in order, to be gone through once: event by event; in blocks as they are fetched, which is
 * faster; or unseen, as a stream into another database. Events that nobody asks for are acknowledged with the batch.
 * Source: spec/pgq-library.md A4 "Walker contract" */
export class EventList<E extends PgqEvent = PgqEvent> implements AsyncIterable<E> {
  readonly #source: EventSource<E>;
  #isStarted = false;
  #fetched = 0;

  constructor(source: EventSource<E>) {
    this.#source = source;
  }

  /** events fetched so far, in whole blocks; all of them once the list was gone through */
  get fetchedCount(): number {
    return this.#fetched;
  }

  /** @throws SkytoolsError DOUBLE_FETCH the second time */
  async *blocks(): AsyncGenerator<readonly E[], void> {
    this.#start();
    for await (const block of this.#source.blocks) {
      this.#fetched += block.length;
      yield block;
    }
  }

  /** @throws SkytoolsError DOUBLE_FETCH the second time */
  async *[Symbol.asyncIterator](): AsyncGenerator<E, void> {
    for await (const block of this.blocks()) yield* block;
  }

  /** Copies columns of the events into the columns of the same names of a table, server to server, in order, within the
   * open transaction of `target`.
   * @param table quoted where needed
   * @throws DatabaseError of either side; SkytoolsError DOUBLE_FETCH the second time */
  async copyInto(target: Database, table: string, columns: readonly EventColumn[]): Promise<void> {
    this.#start();
    const names = columns.join(", ");
    const { rows } = await pipeCopy(
      this.#source.db,
      `copy (select ${names} from (${await this.#source.query()}) as batch order by ev_id) to stdout`,
      target,
      `copy ${table} (${names}) from stdin`,
    );
    this.#fetched = Number(rows);
  }

  /** Leaves the reading to somebody else.
   * @param read gets the query for the events, in the columns of `eventColumns`, and where to run it; returns how many there were
   * @throws SkytoolsError DOUBLE_FETCH the second time */
  async readElsewhere(read: (db: Database, query: string) => Promise<number>): Promise<void> {
    this.#start();
    this.#fetched = await read(this.#source.db, await this.#source.query());
  }

  #start(): void {
    if (this.#isStarted)
      throw new SkytoolsError("DOUBLE_FETCH", "the events of a batch can be read only once");
    this.#isStarted = true;
  }
}
