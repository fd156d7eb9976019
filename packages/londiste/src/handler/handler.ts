import type { PgqEvent } from "@skytools/pgq";
import type { Config, Database, Log } from "@skytools/skytools";
import type { RowOperation } from "../apply/event-kind.ts";
import type { RowsTreatment } from "../apply/rows-treatment.ts";

/* How a table's events become changes of the target. The default handler, `londiste`, repeats on the target what happened on
 * the source. Others leave rows out, put them elsewhere, or do something else altogether.
 *
 * A handler of your own is a JavaScript module that exports `handlers: readonly Handler[]` (types: `@skytools/londiste`); name
 * the file in `handler_modules` of every node that has a table with it, and register tables with `--handler=NAME`. The rules:
 *
 * - All that a handler writes, it writes through `HandlerBatch`, within the transaction of the batch: then a batch counts
 *   exactly once, whatever dies.
 * - A sink that collects must have written everything when `flush` returns. It is called before whatever has to come later: a
 *   TRUNCATE, a script of EXECUTE, a change of the table list, the end of the batch.
 * - What a sink collects must be bounded: a batch may hold any number of events.
 * - State lives for one batch; nothing is kept between batches. */

/** One handler, as `show-handlers` lists it. */
export interface Handler {
  readonly name: string;
  /** one line */
  readonly summary: string;
  /** more about it, may be empty */
  readonly doc: string;
  readonly arguments: readonly HandlerArgument[];
  /** takes arguments beside these */
  readonly hasOpenArguments?: boolean;
  /** Called for each table at registration, before its copy, and in each batch that has events of it: cheap, no database.
   * @throws UsageError for arguments that contradict each other */
  create(table: HandledTable): TableHandler;
}

export interface HandlerArgument {
  readonly name: string;
  readonly doc: string;
  readonly default?: string;
  readonly isRequired?: boolean;
  readonly choices?: readonly string[];
}

/** A table that is registered with a handler. */
export interface HandledTable {
  /** name in the set, `schema.table`, plain */
  readonly name: string;
  /** the local table, plain */
  readonly destination: string;
  /** as given with --handler-arg, checked against the handler's list */
  readonly arguments: ReadonlyMap<string, string>;
  readonly config: Config;
}

/** What a handler does for one table. Everything is optional: without anything it is the default handler. */
export interface TableHandler {
  /** false: no such table need exist here */
  readonly needsTable?: boolean;
  /** trigger arguments and registration tokens, see londiste.local_add_table */
  readonly registration?: readonly string[];
  /** columns by which it decides where a row belongs */
  readonly keyColumns?: readonly string[];
  /** another local table than the registered one */
  readonly destination?: string;
  /** false: its copy brings no rows */
  readonly copiesRows?: boolean;
  /** false: the table here has not all rows as they are on the source: others must not copy from here, unless `forward` keeps the
   * rest from them too */
  readonly isComplete?: boolean;
  /** rows are in tables that inherit from the local one */
  readonly hasPartitions?: boolean;
  /** its copy empties tables that inherit from the local one too */
  readonly copyEmptiesPartitions?: boolean;
  /** Puts copied rows where they belong, within the transaction of the copy.
   * @param from as SQL: the table in which they are; not the local one where that is partitioned natively */
  placeCopiedRows?(target: Database, log: Log, from: string): Promise<void>;
  /** which rows belong here, as a condition over columns; for the copy and compare. Asks the local database. */
  rowCondition?(local: Database): Promise<string | undefined>;
  /** the local column for a column of the source; undefined: it is not copied */
  copyColumn?(column: string): string | undefined;
  /** changes a row on its way in a copy; source column names to text */
  copyRow?(row: Row): Row;
  /** Bytes of the source that are no UTF-8 become U+FFFD, in copies, in events that `open` takes and in those that go on to the nodes
   * behind; the log says in which column. Otherwise they are an error. */
  readonly repairsText?: boolean;
  /** TRUNCATE of the source leaves the table here alone */
  readonly ignoresTruncate?: boolean;
  /** how the default apply treats the rows; not for handlers with `open` */
  readonly rows?: RowsTreatment;
  /** takes the events of a batch in place of the default apply */
  open?(batch: HandlerBatch): EventSink | Promise<EventSink>;
  /** its effects are not limited to its own table: then all tables of the batch go event by event in one order */
  readonly actsOnOtherTables?: boolean;
  /** the event as it goes on to the queue of this node, for the nodes behind it; undefined: it does not. Undone by a branch
   * that becomes the root. Asks the local database for what it needs. */
  forward?(local: Database): Promise<(event: PgqEvent) => PgqEvent | undefined>;
}

/** Column names to text, null for NULL. */
export type Row = ReadonlyMap<string, string | null>;

/** A change of one row, as an event tells it. */
export interface RowEvent {
  readonly event: PgqEvent;
  readonly operation: RowOperation;
  /** columns of the key; empty in partial SQL, whose key is part of the data */
  readonly key: readonly string[];
  /** The columns: all of them, also of an update; of a delete at least the key.
   * @throws ApplyError for partial SQL, or data that is damaged */
  row(): Row;
}

/** Takes the events of a table within one batch, in order. */
export interface EventSink {
  row(event: RowEvent): Promise<void>;
  /** in place of truncating the local table */
  truncate?(event: PgqEvent): Promise<void>;
  /** writes what it has collected */
  flush(): Promise<void>;
}

/** What a sink works with. */
export interface HandlerBatch {
  readonly log: Log;
  /** in the open transaction of the batch: not to be committed */
  readonly target: Database;
  readonly queueName: string;
  readonly tickId: bigint;
  /** timestamptz text: when the batch ended */
  readonly tickTime: string;
  /** Changes a row of a local table, as the default apply does: collected, and applied as a set where that is equivalent.
   * @param destination `schema.table`, plain */
  change(event: RowEvent, destination: string, change: RowChangeOf, treatment?: RowsTreatment): Promise<void>;
  /** Runs a statement for an event, in order with others of this kind; sent many at a time, failures name the event. */
  statement(event: RowEvent, sql: string): Promise<void>;
}

export interface RowChangeOf {
  readonly operation: RowOperation;
  readonly key: readonly string[];
  readonly row: Row;
}
