import { type Database, DatabaseError, quoteIdent } from "@skytools/skytools";
import type { DistinctContent } from "./distinct-rows.ts";
import type { RowOperation } from "./event-kind.ts";
import type { RowPlan } from "./row-plan.ts";
import type { RowsTreatment } from "./rows-treatment.ts";
import { distinctStatement, type SetCounts, setStatement } from "./set-statement.ts";
import { clearStage, openStage, type StageTable } from "./stage-table.ts";
import type { TargetTable } from "./target-table.ts";

const fetchRows = 500;

const noChanges: SetCounts = {
  inserted: 0n,
  updated: 0n,
  deleted: 0n,
  missing_updates: 0n,
  missing_deletes: 0n,
};

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
  #stage: StageTable | undefined;
  #isUsed = false;
  rows = 0;

  constructor(target: Database, table: TargetTable) {
    this.#target = target;
    this.#table = table;
  }

  /** @param content COPY text, one layout with what is staged already
   * @throws DataFailure for a value that its column does not take */
  async load(plan: RowPlan, content: Buffer, rows: number): Promise<void> {
    await this.#open(plan);
    await this.#orUndo("londiste_load", async () => {
      await this.#target.execute("savepoint londiste_load");
      await this.#copyIn(plan, content);
      await this.#target.execute("release savepoint londiste_load");
    });
    this.rows += rows;
  }

  async #open(plan: RowPlan): Promise<void> {
    if (this.rows > 0 && this.#stage !== undefined) return;
    this.#stage = await openStage(this.#target, this.#table, plan.columns);
    if (this.#isUsed) await clearStage(this.#target, this.#stage);
    this.#isUsed = true;
  }

  /** Applies rows whose keys all differ, past the stage where that is possible. Deletes come before updates and these before
   * inserts, so that a value of another unique index can move on to another row.
   * @throws DataFailure when the rows collide with the table as it is, or a column does not take a value */
  async applyDistinct(plan: RowPlan, content: DistinctContent): Promise<SetCounts> {
    const { inserts, changes, rows, updates, deletes } = content;
    if (changes.length > 0) await this.#open(plan);
    return this.#orUndo("londiste_distinct", async () => {
      await this.#target.execute("savepoint londiste_distinct");
      const counts = changes.length > 0 ? await this.#applyChanges(plan, content) : noChanges;
      if (inserts.length > 0) {
        const columns = plan.columns.map((column) => quoteIdent(column.name));
        await this.#copyInto(`${this.#table.sqlName} (${columns.join(", ")})`, inserts);
      }
      await this.#target.execute("release savepoint londiste_distinct");
      return { ...counts, inserted: BigInt(rows - updates - deletes) };
    });
  }

  async #applyChanges(plan: RowPlan, { changes, updates, deletes }: DistinctContent): Promise<SetCounts> {
    await this.#copyIn(plan, changes);
    const input = { table: this.#table, stage: this.#stage!, key: plan.keyColumns };
    const rows = await this.#target.query<SetCounts>(distinctStatement(input, { updates, deletes }));
    return rows[0]!;
  }

  async #copyIn(plan: RowPlan, content: Buffer): Promise<void> {
    const columns = ["ev_id", "ev_txid", "op", ...plan.columns.map((_column, nr) => `c${nr}`)];
    await this.#copyInto(`${this.#stage?.name} (${columns.join(", ")})`, content);
  }

  async #copyInto(place: string, content: Buffer): Promise<void> {
    const stream = this.#target.copyIn(`copy ${place} from stdin`);
    // The failure comes through `done`.
    stream.on("error", () => {});
    stream.end(content);
    await stream.done;
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
    const sql = setStatement({ table: this.#table, stage, operations, key: plan.keyColumns, treatment });
    return this.#orUndo("londiste_set", async () => {
      const rows = await this.#target.query<SetCounts>(`savepoint londiste_set; ${sql}`);
      await this.#target.execute("release savepoint londiste_set");
      return rows[0]!;
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

/** Errors that say something about rows, columns or types; not about sessions, locks or resources.
 * Source: PostgreSQL manual, appendix "PostgreSQL Error Codes" */
function isCausedByData(error: DatabaseError): boolean {
  return /^(?:21|22|23|42|2B|2F|44|P0|0A|54|27|XX)/.test(error.sqlState ?? "");
}
