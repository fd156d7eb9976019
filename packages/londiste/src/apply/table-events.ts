import { type Database, type Log, parsePartialSql, SkytoolsError } from "@skytools/skytools";
import { ApplyError, type FailedEvent } from "./apply-error.ts";
import { DistinctRows, stageLines } from "./distinct-rows.ts";
import type { RowEventKind, RowOperation } from "./event-kind.ts";
import type { RawEvent } from "./event-line.ts";
import { KeyReader } from "./key-reader.ts";
import { type PassedKeys, PassedRows } from "./passed-rows.ts";
import { RowBuffer } from "./row-buffer.ts";
import { decodeRaw, decodeRow, encodeRaw } from "./row-layout.ts";
import { isPlanFor, isSameKey, planRows, type RowPlan } from "./row-plan.ts";
import {
  describeKey,
  foundOrFailed,
  partialSqlStatement,
  type RowChange,
  treatedRowStatement,
} from "./row-statement.ts";
import {
  needsColumns,
  needsFolding,
  onlyInserts,
  plainTreatment,
  type RowsTreatment,
} from "./rows-treatment.ts";
import { operationLetters, type SetCounts } from "./set-statement.ts";
import { type EventStatement, StatementList } from "./statement-list.ts";
import { DataFailure, type StagedRow, TableStage } from "./table-stage.ts";
import type { TargetTable } from "./target-table.ts";

/** Up to here statements one by one cost less than loading a stage. */
const smallRows = 30;

/** What applying has done so far. */
export interface ApplyCounts {
  rowByRowEvents: number;
  /** updates and deletes that found no row */
  missingRows: number;
}

/** Events come in no order, but here the order counts: the caller starts again with ordered events. */
export class OrderNeeded extends Error {}

/** The events of one table within a batch, collected as COPY lines until they are applied: as a set where there are many, as
 * statements where there are few. As long as no key comes twice, a set needs no folding, and is applied as soon as it is large
 * enough, while more is being read. Order among events is kept by id within a set, and by applying what was collected before
 * anything begins that does not fit in: another layout, another key, another format. */
export class TableEvents {
  readonly table: TargetTable;
  readonly #log: Log;
  readonly #isOrdered: boolean;
  readonly #counts: ApplyCounts;
  readonly #statements: StatementList;
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
    this.#statements = new StatementList(options.target);
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
      if (needsColumns(this.#treatment)) return this.addRow(this.#parse(event, kind.operation), event);
      await this.#makeWay();
      this.#counts.rowByRowEvents += 1;
      await this.#statements.add(this.#sqlStatement(event, kind));
      return;
    }
    const row = this.#decode(event, kind.format);
    await this.addRow({ operation: kind.operation, key: kind.key, row }, event, kind.format);
  }

  /** Takes a change that is decoded already. */
  async addRow(
    { operation, key, row }: RowChange,
    event: Pick<RawEvent, "id" | "txid">,
    format: "json" | "url" = "json",
  ): Promise<void> {
    const failed = this.#failed(event, operation);
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

  /** Partial SQL, whose type says what its data looks like, whatever it counts as. */
  #parse(event: RawEvent, operation: RowOperation): RowChange {
    const failed = this.#failed(event, operation);
    const row = this.#parsedRow(event, failed);
    const all = this.table.columns.filter((column) => !column.isGenerated);
    if (event.type === "U" && !all.every((column) => row.row.has(column.name))) {
      throw new ApplyError(
        "partial SQL of an update has only the columns that changed: no row can be made of it",
        failed,
      );
    }
    return { operation, ...row };
  }

  #parsedRow(event: RawEvent, failed: FailedEvent): Pick<RowChange, "key" | "row"> {
    try {
      const { key, data } = parsePartialSql(event.type as "I" | "U" | "D", decodeRaw(event.data) ?? "");
      return { key: [...key.keys()], row: new Map([...key, ...data]) };
    } catch (error) {
      if (!(error instanceof SkytoolsError)) throw error;
      throw new ApplyError(error.message, failed, { cause: error });
    }
  }

  #openDistinct(plan: RowPlan): DistinctRows | undefined {
    if (this.#isFolding || needsFolding(this.#treatment) || plan.columns.length === 0) return undefined;
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

  #decode(event: RawEvent, format: "json" | "url"): ReadonlyMap<string, string | null> {
    try {
      return decodeRow(format, event.data);
    } catch (error) {
      if (!(error instanceof SkytoolsError)) throw error;
      throw new ApplyError(error.message, this.#failed(event), { cause: error });
    }
  }

  /** Applies what was collected, so that something of another kind can follow. */
  async #makeWay(): Promise<void> {
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
      this.#counts.missingRows += Number(counts.missing_updates + counts.missing_deletes);
      this.#tellMissingRows(counts);
      this.#tellSet(counts);
    } catch (error) {
      if (!(error instanceof DataFailure)) throw error;
      if (!this.#isOrdered) throw new OrderNeeded();
      this.#tellRowByRow(content.rows, error);
      await this.#applyLines(plan, stageLines(content));
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
      await this.#applyLines(plan, content);
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
    if (distinct !== undefined) return this.#applyLines(plan, stageLines(distinct.take()));
    const isSmall = this.#rows.rows <= (isAlwaysSet || this.#isPartial ? 0 : smallRows);
    if (this.#stage.rows === 0 && (isSmall || plan.columns.length === 0)) {
      await this.#applyLines(plan, this.#rows.take().content);
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
      this.#counts.missingRows += Number(counts.missing_updates + counts.missing_deletes);
      this.#tellMissingRows(counts);
      this.#tellSet(counts);
    } catch (error) {
      if (!(error instanceof DataFailure)) throw error;
      if (this.#isPartial) throw new OrderNeeded();
      this.#tellRowByRow(this.#stage.rows, error);
      for await (const row of this.#stage.inOrder(plan)) await this.#addRow(plan, row);
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

  /** @throws SkytoolsError MISSING_ROWS where that is an error */
  #tellMissingRows({
    updated,
    deleted,
    missing_updates: noUpdate,
    missing_deletes: noDelete,
  }: SetCounts): void {
    const { missingRows } = this.#treatment;
    if (missingRows === undefined) return;
    const mismatches = [
      ...(noDelete > 0n ? [`Delete mismatch: expected=${deleted + noDelete} deleted=${deleted}`] : []),
      ...(noUpdate > 0n ? [`Update mismatch: expected=${updated + noUpdate} updated=${updated}`] : []),
    ];
    for (const mismatch of mismatches) {
      const text = `${this.table.name}: ${mismatch}`;
      if (missingRows === "error") throw new SkytoolsError("MISSING_ROWS", text, { retry: "later" });
      this.#log.warn(text);
    }
  }

  #tellRowByRow(count: number, reason: DataFailure): void {
    this.#log.info(`${this.table.name}: applying ${count} events row by row: ${reason.message}`);
  }

  async #applyLines(plan: RowPlan, content: Buffer): Promise<void> {
    if (content.length === 0) return;
    const lines = content.toString("latin1", 0, content.length - 1).split("\n");
    const rows = lines.map((line) => line.split("\t"));
    rows.sort((a, b) => compareIds(a[0]!, b[0]!));
    for (const [eventId, eventTxid, letter, ...values] of rows) {
      await this.#addRow(plan, {
        eventId: eventId!,
        eventTxid: eventTxid!,
        letter: letter!,
        values: values.map(decodeRaw),
      });
    }
    await this.#statements.flush();
  }

  async #addRow(plan: RowPlan, { eventId, eventTxid, letter, values }: StagedRow): Promise<void> {
    this.#counts.rowByRowEvents += 1;
    const operation = letter === "I" ? "insert" : letter === "U" ? "update" : "delete";
    const row = new Map(plan.columns.map((column, nr) => [column.name, values[nr] ?? null]));
    const statement = this.#statement({ operation, key: plan.key, row }, { eventId, eventTxid });
    if (statement !== undefined) await this.#statements.add(statement);
  }

  #statement(
    change: RowChange,
    event: Pick<FailedEvent, "eventId" | "eventTxid">,
  ): EventStatement | undefined {
    const failed = { ...event, table: this.table.name, operation: change.operation };
    try {
      const sql = treatedRowStatement(this.table, change, this.#treatment);
      return sql === undefined ? undefined : { ...failed, sql, describeKey: () => describeKey(change) };
    } catch (error) {
      if (!(error instanceof SkytoolsError)) throw error;
      throw new ApplyError(error.message, failed, { cause: error });
    }
  }

  /** The statement of a single event, for when all tables go in one order; undefined when there is nothing to do. */
  eventStatement(event: RawEvent, kind: RowEventKind): EventStatement | undefined {
    if (kind.format === "sql") {
      if (!needsColumns(this.#treatment)) return this.#sqlStatement(event, kind);
      return this.changeStatement(this.#parse(event, kind.operation), event);
    }
    const row = this.#decode(event, kind.format);
    return this.changeStatement({ operation: kind.operation, key: kind.key, row }, event);
  }

  /** The same for a change that is decoded already. */
  changeStatement(change: RowChange, event: Pick<RawEvent, "id" | "txid">): EventStatement | undefined {
    return this.#statement(change, { eventId: event.id, eventTxid: event.txid });
  }

  #sqlStatement(event: RawEvent, kind: RowEventKind): EventStatement {
    const plain = partialSqlStatement(this.table, kind.operation, decodeRaw(event.data) ?? "");
    const mustFind = this.#treatment.missingRows === "error" && kind.operation !== "insert";
    const sql = mustFind ? foundOrFailed(plain) : plain;
    return { ...this.#failed(event), operation: kind.operation, sql, describeKey: () => "" };
  }

  #failed(event: Pick<RawEvent, "id" | "txid">, operation?: RowOperation): FailedEvent {
    return { eventId: event.id, eventTxid: event.txid, table: this.table.name, operation };
  }
}

/** Ids as text: of numbers without sign the longer one is larger. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
