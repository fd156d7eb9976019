import type { RowEvent } from "../handler/handler.ts";
import {
  type ApplyCounts,
  type ApplyInput,
  type ApplyResult,
  usualDistinctRows,
  usualLimits,
} from "./apply-input.ts";
import { type AppliedTable, BatchTables, type FoundTable } from "./batch-tables.ts";
import { type EmptiedTable, emptyTables } from "./empty-tables.ts";
import { classifyEventType, type EventKind, type RowEventKind, type RowOperation } from "./event-kind.ts";
import { decodeEvent, lineBlocks, parseEventLine, type RawEvent, readEventsSql } from "./event-line.ts";
import { type EventIds, noTable, refusedEvent, retriedEvent, unknownEvent } from "./event-refusal.ts";
import { EventRoutes } from "./event-route.ts";
import { OpenedHandlers } from "./opened-handlers.ts";
import { OrderNeeded } from "./order-needed.ts";
import { PassedKeys } from "./passed-rows.ts";
import { PieceFlow } from "./piece-flow.ts";
import { RepairedText } from "./repaired-text.ts";
import { DecodedRowEvent } from "./row-event.ts";
import { copyNull, readableRaw } from "./row-layout.ts";
import type { RowChange } from "./row-statement.ts";
import type { RowsTreatment } from "./rows-treatment.ts";
import { dropStages } from "./stage-table.ts";
import { type EventStatement, StatementList } from "./statement-list.ts";
import { TableEvents } from "./table-events.ts";
import { loadTargetTables } from "./target-table.ts";

/** One reading of a batch: takes each event to where it belongs. */
export class BatchApply {
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
  readonly #opened: OpenedHandlers;
  readonly #repairedText: RepairedText;
  /** what handlers run; together with everything else where all goes in one order */
  readonly #statements: StatementList;
  /** control events that touch no table: run at the end, in order */
  readonly #controlEvents: RawEvent[] = [];
  /** set as soon as triggers act: all that follows goes in one order */
  #inOneOrder: StatementList | undefined;
  /** events of TRUNCATE that have come one after the other: nothing is collected beside them */
  readonly #truncated: EmptiedTable[] = [];
  readonly #flow: PieceFlow;
  #ignoredEvents = 0;

  constructor(input: ApplyInput, isOrdered: boolean) {
    this.#input = input;
    this.#isOrdered = isOrdered;
    this.#tables = new BatchTables(input);
    this.#passedKeys = isOrdered ? undefined : new PassedKeys();
    this.#statements = new StatementList(input.target);
    this.#repairedText = new RepairedText(input.log);
    this.#flow = new PieceFlow(input.limits ?? usualLimits);
    const { log, target, queueName, tickId, tickTime } = input;
    this.#opened = new OpenedHandlers({
      log,
      target,
      queueName,
      tickId,
      tickTime,
      change: (event, destination, change, treatment) =>
        this.#addChange(event, destination, change, treatment),
      statement: (event, sql) => this.#addStatement(event, sql),
    });
  }

  async run(): Promise<ApplyResult> {
    const { source, eventQuery } = this.#input;
    const { wanted, whole } = this.#tables;
    const stream = source.copyOut(readEventsSql(eventQuery, wanted, whole, this.#isOrdered));
    try {
      for await (const block of lineBlocks(stream as AsyncIterable<Buffer>)) {
        await this.#takeBlock(block);
        await this.#flow.keepBudget(this.#events.values());
      }
      await this.#applyCollected();
    } catch (error) {
      await this.#flow.settled().catch(() => {});
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
    if (event.isRetried) throw retriedEvent(event, this.#input.queueName);
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
        throw unknownEvent(event, this.#input.queueName);
    }
  }

  #kindOf(event: RawEvent): EventKind {
    let kind = this.#kinds.get(event.type);
    if (kind === undefined) {
      kind = classifyEventType(readableRaw(event.type));
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
    await this.#flow.settled();
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
      const sink = await this.#opened.sinkOf(table.name, handler);
      const repairs = handler.repairsText === true;
      return sink.row(
        repairs ? this.#repairedText.rowEvent(event, kind, table.name) : new DecodedRowEvent(event, kind),
      );
    }
    const operation = handler?.rows?.operations?.[kind.operation] ?? kind.operation;
    if (operation === "ignored") return;
    if (operation === "refused") throw refusedEvent(event, table, kind.operation);
    const counted = { ...kind, operation };
    const events = await this.#eventsOf(event, table.destination, handler?.rows);
    if (this.#inOneOrder === undefined) return events.add(event, counted);
    return this.#addInOrder(events.eventStatement(event, counted));
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
    await this.#flow.settled();
    const key = keyOf(destination, treatment);
    const known = this.#events.get(key);
    if (known !== undefined) return known;
    const { target, log } = this.#input;
    const table = (await loadTargetTables(target, [destination])).get(destination);
    if (table === undefined) throw noTable(event, destination);
    if (table.hasActiveTriggers) await this.#beginOneOrder();
    if (table.deferrableKey.length > 0 && !this.#isOrdered) throw new OrderNeeded();
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
    const sink = handler?.open === undefined ? undefined : await this.#opened.sinkOf(name, handler);
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
    this.#opened.forget();
    this.#routes.forget();
    this.#inOneOrder = undefined;
  }

  async #applyCollected(): Promise<void> {
    await this.#emptyTruncated();
    await this.#flow.settled();
    await this.#opened.flush();
    await this.#inOneOrder?.flush();
    await this.#statements.flush();
    for (const events of this.#events.values()) await events.apply();
  }

  async #runControlEvents(): Promise<void> {
    const events = this.#controlEvents.map(decodeEvent).sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const event of events) await this.#input.onControlEvent(event);
  }
}

/** Rows that are treated alike are collected together. */
function keyOf(destination: string, treatment: RowsTreatment | undefined): string {
  return treatment === undefined ? destination : `${destination}\n${JSON.stringify(treatment)}`;
}
