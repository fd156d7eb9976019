import type { Database, Log } from "@skytools/skytools";
import { DatabaseError, SkytoolsError } from "@skytools/skytools";
import { ApplyError, type FailedEvent } from "./apply-error.ts";
import type { RowEventKind, RowOperation } from "./event-kind.ts";
import type { RawEvent } from "./event-line.ts";
import { RowBuffer } from "./row-buffer.ts";
import { decodeRaw, decodeRow, encodeRaw, isSameLayout, type RowLayout } from "./row-layout.ts";
import { describeKey, partialSqlStatement, type RowChange, rowStatement } from "./row-statement.ts";
import { RowTranscoder } from "./row-transcoder.ts";
import { operationLetters, type SetCounts, setStatement } from "./set-statement.ts";
import { clearStage, openStage, type StageTable } from "./stage-table.ts";
import { type EventStatement, StatementList } from "./statement-list.ts";
import type { TargetColumn, TargetTable } from "./target-table.ts";

/** Up to here statements one by one cost less than loading a stage. */
const smallRows = 30;
const fetchRows = 500;

/** What applying has done so far. */
export interface ApplyCounts {
  rowByRowEvents: number;
  /** updates and deletes that found no row */
  missingRows: number;
}

/** Events come in no order, but here the order counts: the caller starts again with ordered events. */
export class OrderNeeded extends Error {}

/** How the rows of a layout go into the table. */
interface RowPlan {
  readonly transcoder: RowTranscoder;
  readonly key: readonly string[];
  /** columns that are written */
  readonly columns: readonly TargetColumn[];
  readonly keyColumns: readonly TargetColumn[];
  readonly hasKey: boolean;
}

/** The events of one table within a batch, collected as COPY lines until they are applied: as a set where there are many, as
 * statements where there are few. Order among events is kept by id within a set, and by applying what was collected before
 * anything begins that does not fit in: another layout, another key, another format. */
export class TableEvents {
  readonly table: TargetTable;
  readonly #target: Database;
  readonly #log: Log;
  readonly #isOrdered: boolean;
  readonly #counts: ApplyCounts;
  readonly #statements: StatementList;
  #plan: RowPlan | undefined;
  #operations = new Set<RowOperation>();
  readonly #rows = new RowBuffer();
  #stage: StageTable | undefined;
  #stagedRows = 0;
  #isStageUsed = false;

  constructor(options: {
    readonly target: Database;
    readonly log: Log;
    readonly table: TargetTable;
    readonly isOrdered: boolean;
    readonly counts: ApplyCounts;
  }) {
    this.#target = options.target;
    this.#log = options.log;
    this.table = options.table;
    this.#isOrdered = options.isOrdered;
    this.#counts = options.counts;
    this.#statements = new StatementList(options.target);
  }

  /** Bytes collected and not sent yet. */
  get size(): number {
    return this.#rows.size;
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
    if (plan === undefined || kind.format !== plan.transcoder.layout.format || !isSameKey(kind.key, plan.key))
      return false;
    if (kind.operation !== "insert" && !plan.hasKey) return false;
    const letter = operationLetters[kind.operation].charCodeAt(0);
    if (!plan.transcoder.transcode(block, headStart, headEnd, letter, dataStart, dataEnd, this.#rows))
      return false;
    this.#operations.add(kind.operation);
    return true;
  }

  async add(event: RawEvent, kind: RowEventKind): Promise<void> {
    if (kind.format === "sql") {
      await this.#makeWay();
      this.#counts.rowByRowEvents += 1;
      await this.#statements.add(this.sqlStatement(event, kind));
      return;
    }
    await this.#statements.flush();
    const row = this.#decode(event, kind.format);
    const layout = { format: kind.format, columns: [...row.keys()] };
    const plan = this.#plan;
    if (
      plan === undefined ||
      !isSameLayout(layout, plan.transcoder.layout) ||
      !isSameKey(kind.key, plan.key)
    ) {
      await this.#makeWay();
      this.#plan = this.#planRows(event, kind, layout);
    }
    this.#collect(event, kind.operation, this.#plan!, row);
  }

  #collect(
    event: RawEvent,
    operation: RowOperation,
    plan: RowPlan,
    row: ReadonlyMap<string, string | null>,
  ): void {
    if (operation !== "insert" && !plan.hasKey) {
      throw new ApplyError("event of a table without a usable key", this.#failed(event, operation));
    }
    const values = plan.columns.map((column) => encodeRaw(row.get(column.name) ?? null));
    this.#rows.addLine([event.id, event.txid, operationLetters[operation], ...values].join("\t"));
    this.#operations.add(operation);
  }

  #decode(event: RawEvent, format: "json" | "url"): ReadonlyMap<string, string | null> {
    try {
      return decodeRow(format, event.data);
    } catch (error) {
      if (!(error instanceof SkytoolsError)) throw error;
      throw new ApplyError(error.message, this.#failed(event), { cause: error });
    }
  }

  #planRows(event: RawEvent, kind: RowEventKind, layout: RowLayout): RowPlan {
    const columns: TargetColumn[] = [];
    const isWritten = layout.columns.map((name) => {
      const column = this.table.columns.find((entry) => entry.name === name);
      if (column === undefined) {
        throw new ApplyError(
          `column "${name}" does not exist on this node: add it here first`,
          this.#failed(event, kind.operation),
        );
      }
      if (!column.isGenerated) columns.push(column);
      return !column.isGenerated;
    });
    const keyColumns = kind.key.flatMap((name) => columns.find((column) => column.name === name) ?? []);
    return {
      transcoder: new RowTranscoder(layout, isWritten),
      key: kind.key,
      columns,
      keyColumns,
      hasKey: keyColumns.length > 0 && keyColumns.length === kind.key.length,
    };
  }

  /** Applies what was collected, so that something of another kind can follow. */
  async #makeWay(): Promise<void> {
    if (this.#rows.rows === 0 && this.#stagedRows === 0) return;
    if (!this.#isOrdered) throw new OrderNeeded();
    await this.apply();
  }

  /** Loads the collected rows into the stage; new ones can be added meanwhile. */
  async loadStage(): Promise<void> {
    const plan = this.#plan;
    const { content, rows } = this.#rows.take();
    if (rows === 0 || plan === undefined) return;
    await this.#openStage(plan);
    try {
      await this.#target.execute("savepoint londiste_load");
      await this.#copyIn(plan, content);
      await this.#target.execute("release savepoint londiste_load");
      this.#stagedRows += rows;
    } catch (error) {
      await this.#recover(error, "londiste_load");
      if (!this.#isOrdered) throw new OrderNeeded();
      // A value that the column does not take: go on without the stage, which names the event.
      await this.#applyStage(plan);
      await this.#applyLines(plan, content, messageOf(error));
    }
  }

  async #openStage(plan: RowPlan): Promise<void> {
    if (this.#stagedRows > 0 && this.#stage !== undefined) return;
    this.#stage = await openStage(this.#target, this.table, plan.columns);
    if (this.#isStageUsed) await clearStage(this.#target, this.#stage);
    this.#isStageUsed = true;
  }

  async #copyIn(plan: RowPlan, content: Buffer): Promise<void> {
    const columns = ["ev_id", "ev_txid", "op", ...plan.columns.map((_column, nr) => `c${nr}`)];
    const stream = this.#target.copyIn(`copy ${this.#stage?.name} (${columns.join(", ")}) from stdin`);
    // The failure comes through `done`.
    stream.on("error", () => {});
    stream.end(content);
    await stream.done;
  }

  /** Applies everything collected so far. */
  async apply(): Promise<void> {
    await this.#statements.flush();
    const plan = this.#plan;
    if (plan === undefined) return;
    if (this.#stagedRows === 0 && (this.#rows.rows <= smallRows || plan.columns.length === 0)) {
      await this.#applyLines(plan, this.#rows.take().content);
    } else {
      await this.loadStage();
      await this.#applyStage(plan);
    }
    this.#operations = new Set();
  }

  async #applyStage(plan: RowPlan): Promise<void> {
    const stage = this.#stage;
    if (stage === undefined || this.#stagedRows === 0) return;
    const reason = await this.#applySet(plan, stage);
    if (reason !== undefined) {
      this.#log.info(`${this.table.name}: applying ${this.#stagedRows} events row by row: ${reason}`);
      await this.#applyStagedRows(plan, stage);
    }
    this.#stagedRows = 0;
  }

  /** @returns why not */
  async #applySet(plan: RowPlan, stage: StageTable): Promise<string | undefined> {
    const operations = this.#operations;
    const movesIdentity = plan.columns.some(
      (column) => column.isIdentityAlways && !plan.keyColumns.includes(column),
    );
    if (movesIdentity && operations.has("insert") && operations.has("delete"))
      return "identity column outside the key";
    const sql = setStatement({ table: this.table, stage, operations, key: plan.keyColumns });
    try {
      const rows = await this.#target.query<SetCounts>(`savepoint londiste_set; ${sql}`);
      await this.#target.execute("release savepoint londiste_set");
      const counts = rows[0]!;
      this.#counts.missingRows += Number(counts.missing_rows);
      this.#log.debug(
        `${this.table.name}: ${counts.inserted} inserted, ${counts.updated} updated, ${counts.deleted} deleted as a set`,
      );
      return undefined;
    } catch (error) {
      await this.#recover(error, "londiste_set");
      return messageOf(error);
    }
  }

  /** Goes back before the failed statement when the data has caused the failure, so that going row by row can succeed or will
   * name the event; rethrows everything else. */
  async #recover(error: unknown, savepoint: string): Promise<void> {
    const isCausedByData =
      error instanceof DatabaseError && /^(?:21|22|23|42|2B|2F|44|P0|0A|54|27|XX)/.test(error.sqlState ?? "");
    if (!isCausedByData || this.#target.isBroken) throw error;
    await this.#target.execute(`rollback to savepoint ${savepoint}; release savepoint ${savepoint}`);
  }

  async #applyLines(plan: RowPlan, content: Buffer, reason?: string): Promise<void> {
    if (content.length === 0) return;
    const lines = content.toString("latin1", 0, content.length - 1).split("\n");
    if (reason !== undefined) {
      this.#log.info(`${this.table.name}: applying ${lines.length} events row by row: ${reason}`);
    }
    const rows = lines.map((line) => line.split("\t"));
    if (!this.#isOrdered) rows.sort((a, b) => compareIds(a[0]!, b[0]!));
    for (const [eventId, eventTxid, letter, ...values] of rows) {
      const event = { eventId: eventId!, eventTxid: eventTxid! };
      await this.#addRow(plan, event, letter!, values.map(decodeRaw));
    }
    await this.#statements.flush();
  }

  /** Values as their output functions write them: text that their input functions take again. */
  async #applyStagedRows(plan: RowPlan, stage: StageTable): Promise<void> {
    const values = plan.columns.map(
      (_column, nr) => `case when c${nr} is not null then format('%s', c${nr}) end`,
    );
    await this.#target.execute(
      `declare londiste_events no scroll cursor for
       select ev_id::text, ev_txid::text, op::text, array[${values.join(", ")}]::text[] as row from ${stage.name} order by ev_id`,
    );
    for (;;) {
      const rows = await this.#target.query<{
        ev_id: string;
        ev_txid: string;
        op: string;
        row: (string | null)[];
      }>(`fetch ${fetchRows} from londiste_events`);
      for (const { ev_id: eventId, ev_txid: eventTxid, op, row } of rows) {
        await this.#addRow(plan, { eventId, eventTxid }, op, row);
      }
      if (rows.length < fetchRows) break;
    }
    await this.#statements.flush();
    await this.#target.execute("close londiste_events");
  }

  async #addRow(
    plan: RowPlan,
    event: Pick<FailedEvent, "eventId" | "eventTxid">,
    letter: string,
    values: readonly (string | null)[],
  ): Promise<void> {
    this.#counts.rowByRowEvents += 1;
    const operation = letter === "I" ? "insert" : letter === "U" ? "update" : "delete";
    const row = new Map(plan.columns.map((column, nr) => [column.name, values[nr] ?? null]));
    const statement = this.#statement({ operation, key: plan.key, row }, event);
    if (statement !== undefined) await this.#statements.add(statement);
  }

  #statement(
    change: RowChange,
    event: Pick<FailedEvent, "eventId" | "eventTxid">,
  ): EventStatement | undefined {
    const failed = { ...event, table: this.table.name, operation: change.operation };
    try {
      const sql = rowStatement(this.table, change);
      return sql === undefined ? undefined : { ...failed, sql, describeKey: () => describeKey(change) };
    } catch (error) {
      if (!(error instanceof SkytoolsError)) throw error;
      throw new ApplyError(error.message, failed, { cause: error });
    }
  }

  /** The statement of a single event, for when all tables go in one order; undefined when there is nothing to do. */
  eventStatement(event: RawEvent, kind: RowEventKind): EventStatement | undefined {
    if (kind.format === "sql") return this.sqlStatement(event, kind);
    const row = this.#decode(event, kind.format);
    return this.#statement(
      { operation: kind.operation, key: kind.key, row },
      { eventId: event.id, eventTxid: event.txid },
    );
  }

  sqlStatement(event: RawEvent, kind: RowEventKind): EventStatement {
    const sql = partialSqlStatement(this.table, kind.operation, decodeRaw(event.data) ?? "");
    return { ...this.#failed(event, kind.operation), operation: kind.operation, sql, describeKey: () => "" };
  }

  #failed(event: RawEvent, operation?: RowOperation): FailedEvent {
    return { eventId: event.id, eventTxid: event.txid, table: this.table.name, operation };
  }
}

function isSameKey(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, nr) => name === b[nr]));
}

/** Ids as text: of numbers without sign the longer one is larger. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
