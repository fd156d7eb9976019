import type { RowEvent } from "../handler/handler.ts";
import { type ApplyCounts, type ApplyInput, usualDistinctRows, usualLimits } from "./apply-input.ts";
import type { RowEventKind } from "./event-kind.ts";
import type { RawEvent } from "./event-line.ts";
import { type EventIds, noTable } from "./event-refusal.ts";
import { OrderNeeded } from "./order-needed.ts";
import { PassedKeys } from "./passed-rows.ts";
import { PieceFlow } from "./piece-flow.ts";
import type { RowChange } from "./row-statement.ts";
import type { RowsTreatment } from "./rows-treatment.ts";
import { type EventStatement, StatementList } from "./statement-list.ts";
import { TableEvents } from "./table-events.ts";
import { loadTargetTables } from "./target-table.ts";

/** Where rows are to go. */
export interface Destination {
  /** the local table, plain */
  readonly destination: string;
  readonly treatment: RowsTreatment | undefined;
}

/** What the events of a batch change, collected until it is applied: for each table by itself, or, where triggers act or rows cannot be
 * found by what is written, for all of them in one order. */
export class CollectedChanges {
  readonly counts: ApplyCounts = { rowByRowEvents: 0, missingRows: 0 };
  readonly #input: ApplyInput;
  readonly #isOrdered: boolean;
  readonly #flushHandlers: () => Promise<void>;
  /** by destination and treatment */
  readonly #tables = new Map<string, TableEvents>();
  /** undefined: the events come in their order */
  readonly #passedKeys: PassedKeys | undefined;
  readonly #flow: PieceFlow;
  /** what handlers run; together with everything else where all goes in one order */
  readonly #statements: StatementList;
  /** set as soon as triggers act: all that follows goes in one order */
  #inOneOrder: StatementList | undefined;

  /** @param flushHandlers makes handlers add what they have collected themselves */
  constructor(input: ApplyInput, isOrdered: boolean, flushHandlers: () => Promise<void>) {
    this.#input = input;
    this.#isOrdered = isOrdered;
    this.#flushHandlers = flushHandlers;
    this.#passedKeys = isOrdered ? undefined : new PassedKeys();
    this.#statements = new StatementList(input.target);
    this.#flow = new PieceFlow(input.limits ?? usualLimits);
  }

  get isInOneOrder(): boolean {
    return this.#inOneOrder !== undefined;
  }

  /** Sends what is much already, while more is being read. */
  async keepBudget(): Promise<void> {
    await this.#flow.keepBudget(this.#tables.values());
  }

  /** Waits until the target is free for another statement.
   * @throws the failure of a piece that was on its way */
  async settled(): Promise<void> {
    await this.#flow.settled();
  }

  /** What collects the rows of a table; undefined: there were none yet. */
  known(to: Destination): TableEvents | undefined {
    return this.#tables.get(keyOf(to));
  }

  /** @param kind what the event counts as */
  async addEvent(event: RawEvent, kind: RowEventKind, to: Destination): Promise<void> {
    const events = await this.#eventsOf(event, to);
    if (this.isInOneOrder) await this.#addInOrder(events.eventStatement(event, kind));
    else await events.add(event, kind);
  }

  async addChange({ event }: RowEvent, change: RowChange, to: Destination): Promise<void> {
    const ids = { id: String(event.id), txid: String(event.txid) };
    const events = await this.#eventsOf(ids, to);
    if (this.isInOneOrder) await this.#addInOrder(events.changeStatement(change, ids));
    else await events.addRow(change, ids);
  }

  async addStatement({ event, operation }: RowEvent, sql: string): Promise<void> {
    this.counts.rowByRowEvents += 1;
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
    this.counts.rowByRowEvents += 1;
    if (statement !== undefined) await this.#inOneOrder?.add(statement);
  }

  async #eventsOf(event: EventIds, to: Destination): Promise<TableEvents> {
    await this.#flow.settled();
    const known = this.known(to);
    if (known !== undefined) return known;
    const { target, log, limits } = this.#input;
    const { destination, treatment } = to;
    const table = (await loadTargetTables(target, [destination])).get(destination);
    if (table === undefined) throw noTable(event, destination);
    if (table.hasActiveTriggers || table.hasGeneratedKey) await this.beginOneOrder();
    if (table.deferrableKey.length > 0 && !this.#isOrdered) throw new OrderNeeded();
    const events = new TableEvents({
      target,
      log,
      table,
      counts: this.counts,
      treatment,
      passedKeys: this.#passedKeys,
      seed: this.#tables.size,
      distinctRows: limits?.distinctRows ?? usualDistinctRows,
    });
    this.#tables.set(keyOf(to), events);
    return events;
  }

  /** From here on all tables go event by event. */
  async beginOneOrder(): Promise<void> {
    if (this.isInOneOrder) return;
    if (!this.#isOrdered) throw new OrderNeeded();
    await this.apply();
    this.#inOneOrder = new StatementList(this.#input.target);
  }

  /** Applies all that was collected. */
  async apply(): Promise<void> {
    await this.#flow.settled();
    await this.#flushHandlers();
    await this.#inOneOrder?.flush();
    await this.#statements.flush();
    for (const events of this.#tables.values()) await events.apply();
  }

  /** Tables may have another shape now, other triggers, or be gone. Nothing must be waiting to be applied. */
  forgetTables(): void {
    this.#tables.clear();
    this.#inOneOrder = undefined;
  }
}

/** Rows that are treated alike are collected together. */
function keyOf({ destination, treatment }: Destination): string {
  return treatment === undefined ? destination : `${destination}\n${JSON.stringify(treatment)}`;
}
