import { type Database, DatabaseError, quoteIdent } from "@skytools/skytools";
import type { DistinctContent } from "./distinct-rows.ts";
import type { RowOperation } from "./event-kind.ts";
import { reuse } from "./row-buffer.ts";
import type { RowPlan } from "./row-plan.ts";
import type { RowsTreatment } from "./rows-treatment.ts";
import { distinctStatements, type SetCounts, setStatement } from "./set-statement.ts";
import { clearStage, copyIntoStage, openStage, type StageTable } from "./stage-table.ts";
import type { TargetTable } from "./target-table.ts";

const fetchRows = 500;

/** The data has made a statement fail; what it did is undone. Going row by row may succeed, or will name the event. */
export class DataFailure extends Error {}

/** One row out of a stage, values as text. */
export interface StagedRow {
  readonly eventId: string;
  readonly eventTxid: string;
  readonly letter: string;
  readonly values: readonly (string | null)[];
}

/** Rows of one table, loaded into the session and not applied yet. */
export class TableStage {
  readonly #target: Database;
  readonly #table: TargetTable;
  readonly #kind: string;
  #stage: StageTable | undefined;
  /** it may hold rows of this transaction that are done with */
  #isUsed = false;
  rows = 0;

  /** @param treatment of its rows: those that are treated in another way are not staged with them */
  constructor(target: Database, table: TargetTable, treatment: RowsTreatment) {
    this.#target = target;
    this.#table = table;
    this.#kind = JSON.stringify(treatment);
  }

  /** @param content COPY text, one layout with what is staged already; its memory is used for something else once it is there
   * @throws DataFailure for a value that its column does not take */
  async load(plan: RowPlan, content: Buffer, rows: number): Promise<void> {
    const stage = await this.#open(plan);
    const isNew = this.rows === 0;
    await this.#orUndo("londiste_load", () =>
      this.#target.executeCopying(
        [
          "savepoint londiste_load",
          ...(isNew ? this.#clear(stage) : []),
          copyIntoStage(stage),
          "release savepoint londiste_load",
        ].join(";\n"),
        [content],
      ),
    );
    reuse(content);
    this.rows += rows;
  }

  async #open(plan: RowPlan): Promise<StageTable> {
    if (this.#stage?.columns !== plan.columns) {
      this.#stage = await openStage(this.#target, this.#table, plan.columns, this.#kind);
    }
    return this.#stage;
  }

  #clear(stage: StageTable): readonly string[] {
    const isUsed = this.#isUsed;
    this.#isUsed = true;
    return isUsed ? [clearStage(stage)] : [];
  }

  /** Applies rows whose keys all differ, past the stage where that is possible: one message, in which the server goes from
   * statement to statement without waiting for us. Deletes come before updates and these before inserts, so that a value of
   * another unique index can move on to another row. The memory of the content is used for something else afterwards.
   * @throws DataFailure when the rows collide with the table as it is, or a column does not take a value */
  async applyDistinct(plan: RowPlan, content: DistinctContent): Promise<SetCounts> {
    const { inserts, heads, changes, rows, updates, deletes } = content;
    const statements = ["savepoint londiste_distinct"];
    const contents: Buffer[] = [];
    if (changes.length > 0) {
      const stage = await this.#open(plan);
      const input = { table: this.#table, stage, key: plan.keyColumns };
      statements.push(
        ...this.#clear(stage),
        copyIntoStage(stage),
        ...distinctStatements(input, { updates, deletes }),
      );
      contents.push(changes);
    }
    if (inserts.length > 0) {
      const columns = plan.columns.map((column) => quoteIdent(column.name));
      statements.push(`copy ${this.#table.sqlName} (${columns.join(", ")}) from stdin`);
      contents.push(inserts);
    }
    statements.push("release savepoint londiste_distinct");
    const tags = await this.#orUndo("londiste_distinct", () =>
      this.#target.executeCopying(statements.join(";\n"), contents),
    );
    for (const sent of [inserts, heads, changes]) reuse(sent);
    const deleted = rowsOf(tags, "DELETE") ?? 0n;
    const updated = rowsOf(tags, "UPDATE");
    return {
      inserted: BigInt(rows - updates - deletes),
      updated: updated ?? 0n,
      deleted,
      missing_updates: updated === undefined ? 0n : BigInt(updates) - updated,
      missing_deletes: BigInt(deletes) - deleted,
      doubled_keys: 0n,
    };
  }

  /** @throws DataFailure when the rows collide, or with the table as it is */
  async applyAsSet(
    plan: RowPlan,
    operations: ReadonlySet<RowOperation>,
    treatment: RowsTreatment,
  ): Promise<SetCounts> {
    const stage = this.#stage!;
    const movesIdentity = plan.columns.some(
      (column) => column.isIdentityAlways && !plan.keyColumns.includes(column),
    );
    if (movesIdentity && operations.has("insert") && operations.has("delete")) {
      throw new DataFailure("identity column outside the key");
    }
    if (operations.has("insert") && treatment.replaces !== undefined && !plan.hasKey) {
      throw new DataFailure("events without a key cannot replace rows");
    }
    const replacesInserts = treatment.replaces === "updates and inserts";
    if (operations.has("insert") && this.#table.deferrableKey.length > 0 && !replacesInserts) {
      throw new DataFailure("its key is deferrable");
    }
    const sql = setStatement({ table: this.#table, stage, operations, key: plan.keyColumns, treatment });
    return this.#orUndo("londiste_set", async () => {
      const rows = await this.#target.query<SetCounts>(`savepoint londiste_set; ${sql}`);
      const counts = rows[0]!;
      if (counts.doubled_keys > 0n) {
        await this.#target.execute("rollback to savepoint londiste_set; release savepoint londiste_set");
        throw new DataFailure("two rows have the same key for a while");
      }
      await this.#target.execute("release savepoint londiste_set");
      return counts;
    });
  }

  /** The staged rows in the order of their events; values as their output functions write them, which is text that their input
   * functions take again. */
  async *inOrder(plan: RowPlan): AsyncGenerator<StagedRow, void> {
    const values = plan.columns.map(
      (_column, nr) => `case when c${nr} is not null then format('%s', c${nr}) end`,
    );
    await this.#target.execute(
      `declare londiste_events no scroll cursor for
       select ev_id::text as "eventId", ev_txid::text as "eventTxid", op::text as letter, array[${values.join(", ")}]::text[] as values
         from ${this.#stage?.name} order by ev_id`,
    );
    for (;;) {
      const rows = await this.#target.query<StagedRow>(`fetch ${fetchRows} from londiste_events`);
      yield* rows;
      if (rows.length < fetchRows) break;
    }
    await this.#target.execute("close londiste_events");
  }

  async #orUndo<T>(savepoint: string, body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof DatabaseError) || !isCausedByData(error) || this.#target.isBroken) throw error;
      await this.#target.execute(`rollback to savepoint ${savepoint}; release savepoint ${savepoint}`);
      throw new DataFailure(error.message, { cause: error });
    }
  }
}

/** @param tags as `DELETE 3`
 * @returns how many rows the statement of that name has changed; undefined when there was none */
function rowsOf(tags: readonly string[], command: string): bigint | undefined {
  const tag = tags.find((text) => text.startsWith(`${command} `));
  return tag === undefined ? undefined : BigInt(tag.slice(command.length + 1));
}

/** Errors that say something about rows, columns or types; not about sessions, locks or resources.
 * Source: PostgreSQL manual, appendix "PostgreSQL Error Codes" */
function isCausedByData(error: DatabaseError): boolean {
  return /^(?:21|22|23|42|2B|2F|44|P0|0A|54|27|XX)/.test(error.sqlState ?? "");
}
