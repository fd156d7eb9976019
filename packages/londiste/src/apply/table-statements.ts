import type { Database, PartialSqlRow } from "@skytools/skytools";
import { type FailedEvent, ofEvent } from "./apply-error.ts";
import type { ApplyCounts } from "./apply-input.ts";
import { decodedChange, readPartialSql } from "./decoded-change.ts";
import type { RowEventKind, RowOperation } from "./event-kind.ts";
import type { RawEvent } from "./event-line.ts";
import { decodeRaw } from "./row-layout.ts";
import type { RowPlan } from "./row-plan.ts";
import {
  describeKey,
  foundOrFailed,
  partialSqlStatement,
  type RowChange,
  treatedRowStatement,
} from "./row-statement.ts";
import { needsColumns, type RowsTreatment } from "./rows-treatment.ts";
import { type EventStatement, StatementList } from "./statement-list.ts";
import type { StagedRow } from "./table-stage.ts";
import type { TargetTable } from "./target-table.ts";

/** The events of one table as statements, one an event. */
export class TableStatements {
  readonly #table: TargetTable;
  readonly #treatment: RowsTreatment;
  readonly #counts: ApplyCounts;
  readonly #list: StatementList;

  constructor(target: Database, table: TargetTable, treatment: RowsTreatment, counts: ApplyCounts) {
    this.#table = table;
    this.#treatment = treatment;
    this.#counts = counts;
    this.#list = new StatementList(target);
  }

  /** @throws ApplyError naming the event that fails */
  async flush(): Promise<void> {
    await this.#list.flush();
  }

  /** Adds an event of partial SQL. */
  async addSql(event: RawEvent, kind: RowEventKind): Promise<void> {
    this.#counts.rowByRowEvents += 1;
    const statement = this.#sqlStatement(event, kind);
    if (statement !== undefined) await this.#list.add(statement);
  }

  /** Applies lines of a stage in the order of their events. */
  async applyLines(plan: RowPlan, content: Buffer): Promise<void> {
    if (content.length === 0) return;
    const lines = content.toString("latin1", 0, content.length - 1).split("\n");
    const rows = lines.map((line) => line.split("\t"));
    rows.sort((a, b) => compareIds(a[0]!, b[0]!));
    for (const [eventId, eventTxid, letter, ...values] of rows) {
      const event = { eventId: eventId!, eventTxid: eventTxid! };
      const decoded = ofEvent({ ...event, table: this.#table.name, operation: operationOf(letter!) }, () =>
        values.map(decodeRaw),
      );
      await this.addStaged(plan, { ...event, letter: letter!, values: decoded });
    }
    await this.flush();
  }

  async addStaged(plan: RowPlan, { eventId, eventTxid, letter, values }: StagedRow): Promise<void> {
    this.#counts.rowByRowEvents += 1;
    const operation = operationOf(letter);
    const row = new Map(plan.columns.map((column, nr) => [column.name, values[nr] ?? null]));
    const statement = this.#statement({ operation, key: plan.key, row }, { eventId, eventTxid });
    if (statement !== undefined) await this.#list.add(statement);
  }

  #statement(
    change: RowChange,
    event: Pick<FailedEvent, "eventId" | "eventTxid">,
  ): EventStatement | undefined {
    const failed = { ...event, table: this.#table.name, operation: change.operation };
    const sql = ofEvent(failed, () => treatedRowStatement(this.#table, change, this.#treatment));
    return sql === undefined ? undefined : { ...failed, sql, describeKey: () => describeKey(change) };
  }

  /** The statement of a single event; undefined when there is nothing to do. */
  eventStatement(event: RawEvent, kind: RowEventKind): EventStatement | undefined {
    if (kind.format === "sql" && !needsColumns(this.#treatment)) return this.#sqlStatement(event, kind);
    return this.changeStatement(decodedChange(this.#table, event, kind), event);
  }

  /** The same for a change that is decoded already. */
  changeStatement(change: RowChange, event: Pick<RawEvent, "id" | "txid">): EventStatement | undefined {
    return this.#statement(change, { eventId: event.id, eventTxid: event.txid });
  }

  #sqlStatement(event: RawEvent, kind: RowEventKind): EventStatement | undefined {
    const failed = {
      eventId: event.id,
      eventTxid: event.txid,
      table: this.#table.name,
      operation: kind.operation,
    };
    const row = readPartialSql(event, failed);
    const plain = ofEvent(failed, () => partialSqlStatement(this.#table, kind.operation, row));
    if (plain === undefined) return undefined;
    const mustFind = this.#treatment.missingRows === "error" && kind.operation !== "insert";
    return {
      ...failed,
      sql: mustFind ? foundOrFailed(plain) : plain,
      describeKey: () => describeKey(keyOf(row)),
    };
  }
}

function operationOf(letter: string): RowOperation {
  return letter === "I" ? "insert" : letter === "U" ? "update" : "delete";
}

function keyOf({ key }: PartialSqlRow): Pick<RowChange, "key" | "row"> {
  return { key: [...key.keys()], row: key };
}

/** Ids as text: of numbers without sign the longer one is larger. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
