import type { Database, Log } from "@skytools/skytools";
import { ApplyError } from "./apply-error.ts";
import type { ApplyCounts } from "./apply-input.ts";
import { decodedChange } from "./decoded-change.ts";
import { DistinctRows, stageLines } from "./distinct-rows.ts";
import type { RowEventKind, RowOperation } from "./event-kind.ts";
import type { RawEvent } from "./event-line.ts";
import { KeyReader } from "./key-reader.ts";
import { countMissingRows, tellMissingRows } from "./missing-rows.ts";
import { OrderNeeded } from "./order-needed.ts";
import { type PassedKeys, PassedRows } from "./passed-rows.ts";
import { RowBuffer } from "./row-buffer.ts";
import { encodeRaw } from "./row-layout.ts";
import { isPlanFor, isSameKey, planRows, type RowPlan } from "./row-plan.ts";
import type { RowChange } from "./row-statement.ts";
import {
  needsColumns,
  needsFolding,
  onlyInserts,
  plainTreatment,
  type RowsTreatment,
} from "./rows-treatment.ts";
import { operationLetters, type SetCounts } from "./set-statement.ts";
import type { EventStatement } from "./statement-list.ts";
import { DataFailure, TableStage } from "./table-stage.ts";
import { TableStatements } from "./table-statements.ts";
import type { TargetTable } from "./target-table.ts";

/** Up to so many rows single statements cost less than loading a stage. */
const smallRows = 30;

/** The events of one table within a batch, collected as COPY lines until they are applied: as a set where there are many, as
 * statements where there are few. As long as no key comes twice, a set needs no folding, and is applied as soon as it is large
 * enough, while more is being read. Order among events is kept by id within a set, and by applying what was collected before
 * anything begins that does not fit in: another layout, another key, another format. */
export class TableEvents {
  readonly table: TargetTable;
  readonly #log: Log;
  readonly #isOrdered: boolean;
  readonly #counts: ApplyCounts;
  readonly #statements: TableStatements;
  readonly #rows = new RowBuffer();
  readonly #stage: TableStage;
  readonly #treatment: RowsTreatment;
  readonly #passed: PassedRows | undefined;
  readonly #seed: number;
  readonly #distinctRows: number;
  /** undefined: rows are folded */
  #distinct: DistinctRows | undefined;
  #isFolding = false;
  #hasPassed = false;
  #plan: RowPlan | undefined;
  #operations = new Set<RowOperation>();

  constructor(options: {
    readonly target: Database;
    readonly log: Log;
    readonly table: TargetTable;
    readonly counts: ApplyCounts;
    readonly treatment?: RowsTreatment | undefined;
    /** of the whole batch, when its events come in no order; undefined: they come in the order of their ids */
    readonly passedKeys: PassedKeys | undefined;
    /** another one for each table */
    readonly seed: number;
    /** see ApplyLimits */
    readonly distinctRows: number;
  }) {
    this.#log = options.log;
    this.table = options.table;
    this.#isOrdered = options.passedKeys === undefined;
    this.#passed = options.passedKeys === undefined ? undefined : new PassedRows(options.passedKeys);
    this.#seed = options.seed;
    this.#distinctRows = options.distinctRows;
    this.#counts = options.counts;
    this.#treatment = options.treatment ?? plainTreatment;
    this.#statements = new TableStatements(options.target, options.table, this.#treatment, options.counts);
    this.#stage = new TableStage(options.target, options.table, this.#treatment);
  }

  /** Bytes collected and not sent yet. */
  get size(): number {
    return this.#rows.size + (this.#distinct?.size ?? 0);
  }

  /** Takes an event whose layout is that of the one before, out of the bytes of its line: id and txid, and data.
   * @returns false when add() has to look at it */
  addBytes(
    block: Buffer,
    headStart: number,
    headEnd: number,
    dataStart: number,
    dataEnd: number,
    kind: RowEventKind,
  ): boolean {
    const plan = this.#plan;
    if (plan === undefined || kind.format !== plan.layout.format || !isSameKey(kind.key, plan.key))
      return false;
    const { operation } = kind;
    const { transcoder } = plan;
    if (operation !== "insert" && !plan.hasKey) return false;
    const distinct = this.#distinct;
    if (distinct !== undefined) {
      return (
        distinct.takeBytes(transcoder, operation, block, headStart, headEnd, dataStart, dataEnd) === "taken"
      );
    }
    if (this.#hasPassed && this.#passed?.isBehind(block, headStart, headEnd) === true) return false;
    const letter = operationLetters[operation].charCodeAt(0);
    const rows = this.#rows;
    if (transcoder.transcode(block, headStart, headEnd, letter, dataStart, dataEnd, rows) < 0) return false;
    this.#operations.add(operation);
    return true;
  }

  async add(event: RawEvent, kind: RowEventKind): Promise<void> {
    if (kind.format === "sql") {
      if (!this.#isOrdered) throw new OrderNeeded();
      if (needsColumns(this.#treatment)) return this.addRow(decodedChange(this.table, event, kind), event);
      await this.#makeWay();
      return this.#statements.addSql(event, kind);
    }
    await this.addRow(decodedChange(this.table, event, kind), event, kind.format);
  }

  /** Takes a change that is decoded already. */
  async addRow(
    { operation, key, row }: RowChange,
    event: Pick<RawEvent, "id" | "txid">,
    format: "json" | "url" = "json",
  ): Promise<void> {
    const failed = { eventId: event.id, eventTxid: event.txid, table: this.table.name, operation };
    const layout = { format, columns: [...row.keys()] };
    if (this.#plan === undefined || !isPlanFor(this.#plan, layout, key)) {
      await this.#makeWay();
      this.#plan = planRows(this.table, layout, key, failed);
      this.#distinct = this.#openDistinct(this.#plan);
    }
    if (operation !== "insert" && !this.#plan.hasKey) {
      throw new ApplyError("event of a table without a usable key", failed);
    }
    const values = this.#plan.columns.map((column) => encodeRaw(row.get(column.name) ?? null));
    const head = `${event.id}\t${event.txid}`;
    if (await this.#takeDistinct(operation, head, values)) return;
    if (this.#hasPassed && this.#passed?.isBehind(Buffer.from(head), 0, head.length) === true)
      throw new OrderNeeded();
    this.#rows.addLine([head, operationLetters[operation], ...values].join("\t"));
    this.#operations.add(operation);
  }

  #openDistinct(plan: RowPlan): DistinctRows | undefined {
    if (this.#isFolding || needsFolding(this.#treatment) || plan.columns.length === 0) return undefined;
    if (this.table.deferrableKey.length > 0) return undefined;
    if (!plan.hasKey || onlyInserts(this.#treatment)) return new DistinctRows(undefined, this.#passed);
    const reader = KeyReader.of(plan.columns, plan.keyColumns, this.#seed);
    return reader === undefined ? undefined : new DistinctRows(reader, this.#passed);
  }

  /** @returns false when the row is to be folded with others */
  async #takeDistinct(operation: RowOperation, head: string, values: readonly string[]): Promise<boolean> {
    const distinct = this.#distinct;
    if (distinct === undefined) return false;
    let fate = distinct.takeValues(operation, head, values);
    if (fate === "known" && distinct.rows >= this.#distinctRows) {
      await this.#applyDistinct(distinct);
      fate = distinct.takeValues(operation, head, values);
    }
    if (fate === "late") throw new OrderNeeded();
    if (fate === "taken") return true;
    this.#foldFromHere(distinct);
    return false;
  }

  #foldFromHere(distinct: DistinctRows): void {
    const content = distinct.take();
    this.#distinct = undefined;
    this.#isFolding = true;
    if (content.rows === 0) return;
    this.#rows.addLines(stageLines(content), content.rows);
    if (content.rows > content.updates + content.deletes) this.#operations.add("insert");
    if (content.updates > 0) this.#operations.add("update");
    if (content.deletes > 0) this.#operations.add("delete");
  }

  /** Applies what was collected, so that something of another kind can follow. */
  async #makeWay(): Promise<void> {
    // What has passed is known by its present key only.
    if (!this.#isOrdered && this.#hasPassed) throw new OrderNeeded();
    if (this.#rows.rows === 0 && this.#stage.rows === 0 && (this.#distinct?.rows ?? 0) === 0) return;
    if (!this.#isOrdered) throw new OrderNeeded();
    await this.apply();
  }

  /** Sends the collected rows to the server; new ones can be added meanwhile. */
  async makeRoom(): Promise<void> {
    if (this.#distinct === undefined) await this.#loadStage();
    else await this.#applyDistinct(this.#distinct);
  }

  async #applyDistinct(distinct: DistinctRows): Promise<void> {
    const plan = this.#plan;
    if (distinct.rows === 0 || plan === undefined) return;
    const content = distinct.take();
    this.#hasPassed = true;
    try {
      const counts = await this.#stage.applyDistinct(plan, content);
      const missingRows = countMissingRows(counts);
      // The insert may be an earlier event that has not been read yet.
      if (missingRows > 0 && !this.#isOrdered && this.#treatment.missingRows !== undefined)
        throw new OrderNeeded();
      this.#counts.missingRows += missingRows;
      tellMissingRows(this.#log, this.table.name, this.#treatment, counts);
      this.#tellSet(counts);
    } catch (error) {
      if (!(error instanceof DataFailure)) throw error;
      if (!this.#isOrdered) throw new OrderNeeded();
      this.#tellRowByRow(content.rows, error);
      await this.#statements.applyLines(plan, stageLines(content));
    }
  }

  /** Loads the rows that are to be folded into the stage. */
  async #loadStage(): Promise<void> {
    const plan = this.#plan;
    const { content, rows } = this.#rows.take();
    if (rows === 0 || plan === undefined) return;
    try {
      await this.#stage.load(plan, content, rows);
    } catch (error) {
      if (!(error instanceof DataFailure)) throw error;
      if (!this.#isOrdered) throw new OrderNeeded();
      await this.#applyStage(plan);
      this.#tellRowByRow(rows, error);
      await this.#statements.applyLines(plan, content);
    }
  }

  /** Applies everything collected so far. */
  async apply(): Promise<void> {
    await this.#statements.flush();
    const plan = this.#plan;
    if (plan === undefined) return;
    const distinct = this.#distinct;
    const isAlwaysSet = this.#treatment.isAlwaysSet === true;
    if (distinct !== undefined && (distinct.rows > smallRows || this.#hasPassed || isAlwaysSet)) {
      return this.#applyDistinct(distinct);
    }
    if (distinct !== undefined) return this.#statements.applyLines(plan, stageLines(distinct.take()));
    const isSmall = this.#rows.rows <= (isAlwaysSet || this.#isPartial ? 0 : smallRows);
    if (this.#stage.rows === 0 && (isSmall || plan.columns.length === 0)) {
      await this.#statements.applyLines(plan, this.#rows.take().content);
    } else {
      await this.#loadStage();
      await this.#applyStage(plan);
    }
    this.#operations = new Set();
  }

  async #applyStage(plan: RowPlan): Promise<void> {
    if (this.#stage.rows === 0) return;
    try {
      const counts = await this.#stage.applyAsSet(plan, this.#operations, this.#treatment);
      this.#counts.missingRows += countMissingRows(counts);
      tellMissingRows(this.#log, this.table.name, this.#treatment, counts);
      this.#tellSet(counts);
    } catch (error) {
      if (!(error instanceof DataFailure)) throw error;
      if (this.#isPartial) throw new OrderNeeded();
      this.#tellRowByRow(this.#stage.rows, error);
      for await (const row of this.#stage.inOrder(plan)) await this.#statements.addStaged(plan, row);
      await this.#statements.flush();
    }
    this.#stage.rows = 0;
  }

  /** Later events have been applied perhaps: going row by row would not be going in order. */
  get #isPartial(): boolean {
    return !this.#isOrdered && this.#hasPassed;
  }

  #tellSet({ inserted, updated, deleted }: SetCounts): void {
    this.#log.debug(
      `${this.table.name}: ${inserted} inserted, ${updated} updated, ${deleted} deleted as a set`,
    );
  }

  #tellRowByRow(count: number, reason: DataFailure): void {
    this.#log.info(`${this.table.name}: applying ${count} events row by row: ${reason.message}`);
  }

  /** The statement of a single event, for when all tables go in one order; undefined when there is nothing to do. */
  eventStatement(event: RawEvent, kind: RowEventKind): EventStatement | undefined {
    return this.#statements.eventStatement(event, kind);
  }

  /** The same for a change that is decoded already. */
  changeStatement(change: RowChange, event: Pick<RawEvent, "id" | "txid">): EventStatement | undefined {
    return this.#statements.changeStatement(change, event);
  }
}
