import { setImmediate as nextTurn } from "node:timers/promises";
import type { BatchInfo, PgqEvent } from "@skytools/pgq";
import type { Database, Log } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";
import type { EventSink, RowEvent, TableHandler } from "../handler/handler.ts";
import { ApplyError } from "./apply-error.ts";
import { type AppliedTable, BatchTables, type BatchTablesInput, type FoundTable } from "./batch-tables.ts";
import { type EmptiedTable, emptyTables } from "./empty-tables.ts";
import { classifyEventType, type EventKind, type RowEventKind, type RowOperation } from "./event-kind.ts";
import { decodeEvent, lineBlocks, parseEventLine, type RawEvent, readEventsSql } from "./event-line.ts";
import { EventRoutes } from "./event-route.ts";
import { PassedKeys } from "./passed-rows.ts";
import { DecodedRowEvent } from "./row-event.ts";
import { copyNull, decodeRaw } from "./row-layout.ts";
import type { RowChange } from "./row-statement.ts";
import type { RowsTreatment } from "./rows-treatment.ts";
import { dropOldStages, dropStages } from "./stage-table.ts";
import { type EventStatement, StatementList } from "./statement-list.ts";
import { type ApplyCounts, OrderNeeded, TableEvents } from "./table-events.ts";
import { loadTargetTables } from "./target-table.ts";

/** Sizes at which a batch is handled in another way. */
export interface ApplyLimits {
  /** collected lines of one table and of all, in bytes, at which they go to the server */
  readonly tableBytes: number;
  readonly totalBytes: number;
  /** above this estimate the provider is spared sorting, at the risk of having to read the batch twice */
  readonly orderedEvents: number;
  /** so many rows of different keys are applied when one of the keys comes again; fewer are not worth it, and from then on the
   * server folds what comes; default 2000 */
  readonly distinctRows?: number;
}

const usualLimits: ApplyLimits = { tableBytes: 1_000_000, totalBytes: 8_000_000, orderedEvents: 10_000 };

const usualDistinctRows = 2000;

/** So many bytes of a table are worth a round of statements when the target waits for work. */
const idleBytes = 128_000;

export interface ApplyInput extends BatchTablesInput {
  readonly source: Database;
  readonly target: Database;
  readonly log: Log;
  readonly batchId: bigint;
  readonly tickId: bigint;
  /** timestamptz text: when the batch ended */
  readonly tickTime: string;
  readonly queueName: string;
  /** SELECT of the batch's events, or of those that matter here */
  readonly eventQuery: string;
  /** how many events to expect; only a hint */
  readonly expectedEvents: number;
  readonly limits?: ApplyLimits;
  /** handles `pgq.*`, `londiste.*` and EXECUTE events, in order, within the target's transaction */
  onControlEvent(event: PgqEvent): Promise<void>;
}

/** What the ticks say about the size of a batch. */
export function expectedEvents(batch: BatchInfo): number {
  return Number((batch.tickEventSeq ?? 0n) - (batch.previousTickEventSeq ?? 0n));
}

export interface ApplyResult extends Readonly<ApplyCounts> {
  readonly eventCount: number;
  readonly maxEventId: bigint | undefined;
  /** row events of tables that are not applied here or not yet */
  readonly ignoredEvents: number;
}

/** Applies one batch within the target's open transaction.
 *
 * The events come as one COPY stream and go, cut into columns, as COPY streams into a session's own tables, one for each
 * replicated table; there the server folds them to their net effect and applies them with one statement a table. A process in
 * between sees bytes, not values. Rows of a table whose keys all differ need no folding: inserts go straight into their table,
 * and what has been read is applied while the rest is on its way. TRUNCATE, EXECUTE and changes of the table list are barriers: what came before is applied first.
 * Where triggers or foreign keys act on replay, all tables go event by event in one order. Handlers get the events of their
 * tables and give changes back, which are collected in the same way.
 * @throws ApplyError an event that cannot be applied
 * @throws SkytoolsError CASCADE_EVENT an event that nobody understands
 * Source: design "Apply"; spec/londiste.md 9 */
export async function applyBatch(input: ApplyInput): Promise<ApplyResult> {
  try {
    await dropOldStages(input.target);
    if (wantsOrder(input)) return await new BatchApply(input, true).run();
    await input.target.execute("savepoint londiste_batch");
    if (input.source.isTransactional) await input.source.execute("savepoint londiste_read");
    try {
      return await new BatchApply(input, false).run();
    } catch (error) {
      if (!(error instanceof OrderNeeded)) throw error;
    }
    input.log.debug("the batch is read again in the order of its events");
    orderedBatches.set(input.target, batchesInOrder);
    await input.target.execute("rollback to savepoint londiste_batch");
    // Leaving the first reading early may have made the provider's transaction fail.
    if (input.source.inTransaction) await input.source.execute("rollback to savepoint londiste_read");
    return await new BatchApply(input, true).run();
  } catch (error) {
    throw error instanceof ApplyError ? error.inBatch(input.batchId, input.tickId) : error;
  }
}

/** Where one batch needed its order the next ones probably do: they are not read twice. */
const batchesInOrder = 20;
const orderedBatches = new WeakMap<Database, number>();

function wantsOrder(input: ApplyInput): boolean {
  if (input.expectedEvents < (input.limits ?? usualLimits).orderedEvents) return true;
  if (new BatchTables(input).mayOpen) return true;
  const left = orderedBatches.get(input.target) ?? 0;
  if (left > 0) orderedBatches.set(input.target, left - 1);
  return left > 0;
}

class BatchApply {
  readonly #input: ApplyInput;
  readonly #isOrdered: boolean;
  readonly #routes = new EventRoutes();
  readonly #kinds = new Map<string, EventKind>();
  readonly #tables: BatchTables;
  /** by destination and treatment */
  readonly #events = new Map<string, TableEvents>();
  /** undefined: the events come in their order */
  readonly #passedKeys: PassedKeys | undefined;
  readonly #counts: ApplyCounts = { rowByRowEvents: 0, missingRows: 0 };
  /** of tables whose handlers take the events, by set name */
  readonly #sinks = new Map<string, EventSink>();
  /** what handlers run; together with everything else where all goes in one order */
  readonly #statements: StatementList;
  /** control events that touch no table: run at the end, in order */
  readonly #controlEvents: RawEvent[] = [];
  /** set as soon as triggers act: all that follows goes in one order */
  #inOneOrder: StatementList | undefined;
  /** events of TRUNCATE that have come one after the other: nothing is collected beside them */
  readonly #truncated: EmptiedTable[] = [];
  #loading: Promise<void> = Promise.resolve();
  #isLoading = false;
  #ignoredEvents = 0;

  constructor(input: ApplyInput, isOrdered: boolean) {
    this.#input = input;
    this.#isOrdered = isOrdered;
    this.#tables = new BatchTables(input);
    this.#passedKeys = isOrdered ? undefined : new PassedKeys();
    this.#statements = new StatementList(input.target);
  }

  async run(): Promise<ApplyResult> {
    const { source, eventQuery } = this.#input;
    const { wanted, whole } = this.#tables;
    const stream = source.copyOut(readEventsSql(eventQuery, wanted, whole, this.#isOrdered));
    try {
      for await (const block of lineBlocks(stream as AsyncIterable<Buffer>)) {
        await this.#takeBlock(block);
        await this.#keepBudget();
        // What is on its way to the target gets on only while nothing else runs.
        await nextTurn();
      }
      await this.#applyCollected();
    } catch (error) {
      await this.#loading.catch(() => {});
      throw error;
    }
    await this.#runControlEvents();
    return {
      ...this.#counts,
      eventCount: this.#routes.eventCount,
      ignoredEvents: this.#ignoredEvents,
      maxEventId: this.#routes.eventCount === 0 ? undefined : this.#routes.maxId,
    };
  }

  async #takeBlock(block: Buffer): Promise<void> {
    let at = 0;
    for (;;) {
      at = this.#routes.takeLines(block, at);
      if (at >= block.length) return;
      const end = block.indexOf(0x0a, at);
      const line = block.subarray(at, end);
      const event = parseEventLine(line.toString("latin1"));
      this.#routes.count(event.id);
      await this.#take(event);
      this.#learn(line, event);
      at = end + 1;
    }
  }

  /** The next event of the same type and table needs no look if its data looks the same. */
  #learn(line: Buffer, event: RawEvent): void {
    const kind = this.#kinds.get(event.type);
    const table = this.#tables.known(event.extra1);
    if (table === undefined || table.handler?.open !== undefined) return;
    const rows = table.handler?.rows;
    const events = this.#events.get(keyOf(table.destination, rows));
    if (kind?.kind !== "row" || kind.format === "sql" || events === undefined) return;
    const operation = rows?.operations?.[kind.operation] ?? kind.operation;
    if (operation === "ignored" || operation === "refused") return;
    if (this.#inOneOrder !== undefined) this.#routes.forget();
    else this.#routes.learn(line, { events, kind: { ...kind, operation } });
  }

  async #take(event: RawEvent): Promise<void> {
    const kind = this.#kindOf(event);
    if (event.isRetried) throw this.#refusal(event, "was put into the retry queue: its order is lost");
    if (kind.kind !== "truncate") await this.#emptyTruncated();
    switch (kind.kind) {
      case "row":
        return this.#takeRow(event, kind);
      case "truncate":
        return this.#takeTruncate(event);
      case "cascade":
        this.#controlEvents.push(event);
        return;
      case "script":
        return this.#atBarrier(() => this.#runScript(event));
      case "londiste":
        if (event.type === "londiste.update-seq") this.#controlEvents.push(event);
        else await this.#atBarrier(() => this.#input.onControlEvent(decodeEvent(event)));
        return;
      case "unknown":
        throw new SkytoolsError(
          "CASCADE_EVENT",
          `Unhandled event type in queue: ${decodeRaw(event.type) ?? ""} (queue "${this.#input.queueName}", event ${event.id})`,
          { retry: "later" },
        );
    }
  }

  #kindOf(event: RawEvent): EventKind {
    let kind = this.#kinds.get(event.type);
    if (kind === undefined) {
      kind = classifyEventType(decodeRaw(event.type));
      this.#kinds.set(event.type, kind);
    }
    const isTableEvent = kind.kind === "row" || kind.kind === "truncate";
    return isTableEvent && event.extra1 === copyNull ? { kind: "unknown" } : kind;
  }

  async #tableOf(
    event: RawEvent,
    operation: RowOperation | "truncate",
    key: readonly string[],
  ): Promise<(AppliedTable & FoundTable) | undefined> {
    // A finder may ask the target.
    await this.#loading;
    const table = await this.#tables.find(event.extra1, { id: event.id, operation, key });
    if (table === undefined) this.#ignoredEvents += 1;
    return table;
  }

  async #takeRow(event: RawEvent, kind: RowEventKind): Promise<void> {
    const table = await this.#tableOf(event, kind.operation, kind.key);
    if (table === undefined) return;
    const { handler } = table;
    if (handler?.actsOnOtherTables === true) await this.#beginOneOrder();
    if (handler?.open !== undefined) {
      const sink = await this.#sinkOf(table.name, handler);
      return sink.row(new DecodedRowEvent(event, kind));
    }
    const operation = handler?.rows?.operations?.[kind.operation] ?? kind.operation;
    if (operation === "ignored") return;
    if (operation === "refused") throw refusedEvent(event, table, kind.operation);
    const counted = { ...kind, operation };
    const events = await this.#eventsOf(event, table.destination, handler?.rows);
    if (this.#inOneOrder === undefined) return events.add(event, counted);
    return this.#addInOrder(events.eventStatement(event, counted));
  }

  async #sinkOf(name: string, handler: TableHandler): Promise<EventSink> {
    const known = this.#sinks.get(name);
    if (known !== undefined) return known;
    const { log, target, queueName, tickId, tickTime } = this.#input;
    const opened = await handler.open?.({
      log,
      target,
      queueName,
      tickId,
      tickTime,
      change: (event, destination, change, treatment) =>
        this.#addChange(event, destination, change, treatment),
      statement: (event, sql) => this.#addStatement(event, sql),
    });
    const sink = opened ?? { row: async () => {}, flush: async () => {} };
    this.#sinks.set(name, sink);
    return sink;
  }

  async #addChange(
    { event }: RowEvent,
    destination: string,
    change: RowChange,
    treatment: RowsTreatment | undefined,
  ): Promise<void> {
    const ids = { id: String(event.id), txid: String(event.txid) };
    const events = await this.#eventsOf(ids, destination, treatment);
    if (this.#inOneOrder === undefined) await events.addRow(change, ids);
    else await this.#addInOrder(events.changeStatement(change, ids));
  }

  async #addStatement({ event, operation }: RowEvent, sql: string): Promise<void> {
    this.#counts.rowByRowEvents += 1;
    await (this.#inOneOrder ?? this.#statements).add({
      sql,
      eventId: String(event.id),
      eventTxid: String(event.txid),
      table: event.extra1 ?? "",
      operation,
      describeKey: () => "",
    });
  }

  async #addInOrder(statement: EventStatement | undefined): Promise<void> {
    this.#counts.rowByRowEvents += 1;
    if (statement !== undefined) await this.#inOneOrder?.add(statement);
  }

  /** What collects the rows of a table. */
  async #eventsOf(event: EventIds, destination: string, treatment?: RowsTreatment): Promise<TableEvents> {
    await this.#loading;
    const key = keyOf(destination, treatment);
    const known = this.#events.get(key);
    if (known !== undefined) return known;
    const { target, log } = this.#input;
    const table = (await loadTargetTables(target, [destination])).get(destination);
    if (table === undefined) throw noTable(event, destination);
    if (table.hasActiveTriggers) await this.#beginOneOrder();
    const counts = this.#counts;
    const passedKeys = this.#passedKeys;
    const seed = this.#events.size;
    const distinctRows = this.#input.limits?.distinctRows ?? usualDistinctRows;
    const options = { target, log, table, counts, treatment, passedKeys, seed, distinctRows };
    const events = new TableEvents(options);
    this.#events.set(key, events);
    return events;
  }

  /** From here on all tables go event by event. */
  async #beginOneOrder(): Promise<void> {
    if (this.#inOneOrder !== undefined) return;
    if (!this.#isOrdered) throw new OrderNeeded();
    await this.#applyCollected();
    this.#inOneOrder = new StatementList(this.#input.target);
    this.#routes.forget();
  }

  async #takeTruncate(event: RawEvent): Promise<void> {
    const found = await this.#tableOf(event, "truncate", []);
    if (found === undefined) return;
    const { target, log } = this.#input;
    const { destination, name, handler } = found;
    const rule = handler?.rows?.truncate;
    if (rule === "refused") throw refusedEvent(event, found, "truncate");
    if (handler?.ignoresTruncate === true || rule === "ignored") {
      log.info(`ignoring truncate for ${name}`);
      return;
    }
    const sink = handler?.open === undefined ? undefined : await this.#sinkOf(name, handler);
    if (sink?.truncate !== undefined) {
      return this.#atBarrier(async () => sink.truncate?.(decodeEvent(event)));
    }
    if (this.#truncated.length === 0) await this.#atBarrier(async () => {});
    const table = (await loadTargetTables(target, [destination])).get(destination);
    if (table === undefined) throw noTable(event, destination);
    this.#routes.forget();
    this.#truncated.push({
      name: destination,
      target: `${handler?.hasPartitions === true ? "" : table.only}${table.sqlName}`,
      sqlName: table.sqlName,
    });
  }

  /** One TRUNCATE of the source gives an event for each of its tables. */
  async #emptyTruncated(): Promise<void> {
    if (this.#truncated.length === 0) return;
    const { target, log } = this.#input;
    await emptyTables(target, log, this.#truncated.splice(0));
  }

  async #atBarrier(action: () => Promise<void>): Promise<void> {
    if (!this.#isOrdered) throw new OrderNeeded();
    await this.#applyCollected();
    await action();
  }

  /** After a script tables may have another shape, other triggers, or be gone. */
  async #runScript(event: RawEvent): Promise<void> {
    await dropStages(this.#input.target);
    await this.#input.onControlEvent(decodeEvent(event));
    this.#events.clear();
    this.#sinks.clear();
    this.#routes.forget();
    this.#inOneOrder = undefined;
  }

  /** Sends collected lines on their way when there are many, or enough for a server that has nothing to do; the next ones are
   * read meanwhile. */
  async #keepBudget(): Promise<void> {
    const { tableBytes, totalBytes } = this.#input.limits ?? usualLimits;
    let total = 0;
    let largest: TableEvents | undefined;
    for (const events of this.#events.values()) {
      total += events.size;
      if (events.size > (largest?.size ?? 0)) largest = events;
    }
    const enough = this.#isLoading ? tableBytes : Math.min(tableBytes, idleBytes);
    if (largest === undefined || (largest.size < enough && total < totalBytes)) return;
    await this.#loading;
    this.#loading = this.#load(largest);
    // Whoever waits for it next sees the failure.
    this.#loading.catch(() => {});
  }

  async #load(events: TableEvents): Promise<void> {
    this.#isLoading = true;
    try {
      await events.makeRoom();
    } finally {
      this.#isLoading = false;
    }
  }

  async #applyCollected(): Promise<void> {
    await this.#emptyTruncated();
    await this.#loading;
    for (const sink of this.#sinks.values()) await sink.flush();
    await this.#inOneOrder?.flush();
    await this.#statements.flush();
    for (const events of this.#events.values()) await events.apply();
  }

  async #runControlEvents(): Promise<void> {
    const events = this.#controlEvents.map(decodeEvent).sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const event of events) await this.#input.onControlEvent(event);
  }

  #refusal(event: RawEvent, reason: string): SkytoolsError {
    const text = `event ${event.id} of type "${decodeRaw(event.type) ?? ""}" in queue "${this.#input.queueName}" ${reason}`;
    return new SkytoolsError("CASCADE_EVENT", text, { retry: "later" });
  }
}

type EventIds = Pick<RawEvent, "id" | "txid">;

/** Rows that are treated alike are collected together. */
function keyOf(destination: string, treatment: RowsTreatment | undefined): string {
  return treatment === undefined ? destination : `${destination}\n${JSON.stringify(treatment)}`;
}

function refusedEvent(event: EventIds, table: AppliedTable, operation: string): ApplyError {
  return new ApplyError(`${operation} is not for this way of loading`, {
    eventId: event.id,
    eventTxid: event.txid,
    table: table.name,
    operation,
  });
}

function noTable(event: EventIds, destination: string): ApplyError {
  return new ApplyError("the table does not exist on this node", {
    eventId: event.id,
    eventTxid: event.txid,
    table: destination,
  });
}
