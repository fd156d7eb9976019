import type { ApplyInput, ApplyResult } from "./apply-input.ts";
import { type AppliedTable, BatchTables, type FoundTable } from "./batch-tables.ts";
import { CollectedChanges } from "./collected-changes.ts";
import { type EmptiedTable, emptyTables } from "./empty-tables.ts";
import { classifyEventType, type EventKind, type RowEventKind, type RowOperation } from "./event-kind.ts";
import { decodeEvent, parseEventLine, type RawEvent } from "./event-line.ts";
import { noTable, refusedEvent, retriedEvent, unknownEvent } from "./event-refusal.ts";
import { EventRoutes } from "./event-route.ts";
import { OpenedHandlers } from "./opened-handlers.ts";
import { OrderNeeded } from "./order-needed.ts";
import { RepairedText } from "./repaired-text.ts";
import { DecodedRowEvent } from "./row-event.ts";
import { copyNull, readableRaw } from "./row-layout.ts";
import { dropStages } from "./stage-table.ts";
import { loadTargetTables } from "./target-table.ts";

/** Reads a batch once, and hands each event to the part that applies it. */
export class BatchApply {
  readonly #input: ApplyInput;
  readonly #isOrdered: boolean;
  readonly #routes = new EventRoutes();
  readonly #kinds = new Map<string, EventKind>();
  readonly #tables: BatchTables;
  readonly #collected: CollectedChanges;
  readonly #opened: OpenedHandlers;
  readonly #repairedText: RepairedText;
  /** control events that touch no table: run at the end, in order */
  readonly #controlEvents: RawEvent[] = [];
  /** events of TRUNCATE that have come one after the other: nothing is collected beside them */
  readonly #truncated: EmptiedTable[] = [];
  #ignoredEvents = 0;

  constructor(input: ApplyInput, isOrdered: boolean) {
    this.#input = input;
    this.#isOrdered = isOrdered;
    this.#tables = new BatchTables(input);
    this.#collected = new CollectedChanges(input, isOrdered, () => this.#opened.flush());
    this.#repairedText = new RepairedText(input.log);
    const { log, target, queueName, tickId, tickTime } = input;
    this.#opened = new OpenedHandlers({
      log,
      target,
      queueName,
      tickId,
      tickTime,
      change: (event, destination, change, treatment) =>
        this.#collected.addChange(event, change, { destination, treatment }),
      statement: (event, sql) => this.#collected.addStatement(event, sql),
    });
  }

  /** @param blocks lines of the events, in the order of their ids if so promised */
  async run(blocks: AsyncIterable<Buffer>): Promise<ApplyResult> {
    try {
      for await (const block of blocks) {
        await this.#takeBlock(block);
        await this.#collected.keepBudget();
      }
      await this.#applyCollected();
    } catch (error) {
      await this.#collected.settled().catch(() => {});
      throw error;
    }
    await this.#runControlEvents();
    return {
      ...this.#collected.counts,
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
    if (this.#collected.isInOneOrder) {
      this.#routes.forget();
      return;
    }
    const kind = this.#kinds.get(event.type);
    const table = this.#tables.known(event.extra1);
    if (table === undefined || table.handler?.open !== undefined) return;
    const rows = table.handler?.rows;
    const events = this.#collected.known({ destination: table.destination, treatment: rows });
    if (kind?.kind !== "row" || kind.format === "sql" || events === undefined) return;
    const operation = rows?.operations?.[kind.operation] ?? kind.operation;
    if (operation === "ignored" || operation === "refused") return;
    this.#routes.learn(line, { events, kind: { ...kind, operation } });
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
        if (isOfSequence(event)) this.#controlEvents.push(event);
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
    await this.#collected.settled();
    const table = await this.#tables.find(event.extra1, { id: event.id, operation, key });
    if (table === undefined) this.#ignoredEvents += 1;
    return table;
  }

  async #takeRow(event: RawEvent, kind: RowEventKind): Promise<void> {
    const table = await this.#tableOf(event, kind.operation, kind.key);
    if (table === undefined) return;
    const { handler } = table;
    if (handler?.actsOnOtherTables === true) await this.#collected.beginOneOrder();
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
    const to = { destination: table.destination, treatment: handler?.rows };
    return this.#collected.addEvent(event, { ...kind, operation }, to);
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
    this.#collected.forgetTables();
    this.#opened.forget();
    this.#routes.forget();
  }

  async #applyCollected(): Promise<void> {
    await this.#emptyTruncated();
    await this.#collected.apply();
  }

  async #runControlEvents(): Promise<void> {
    const events = this.#controlEvents.map(decodeEvent).sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const event of events) await this.#input.onControlEvent(event);
  }
}

/** These concern no table: they are no barrier, and only keep their order among themselves. */
function isOfSequence({ type }: RawEvent): boolean {
  return type === "londiste.update-seq" || type === "londiste.remove-seq";
}
