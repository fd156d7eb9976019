import type { Database } from "@skytools/skytools";
import { DatabaseError } from "@skytools/skytools";
import { ApplyError } from "./apply-error.ts";
import type { RowOperation } from "./event-kind.ts";

const maxStatements = 500;
const maxLength = 1_000_000;

/** A statement that replays one event. */
export interface EventStatement {
  readonly sql: string;
  readonly eventId: string;
  readonly eventTxid: string;
  readonly table: string;
  readonly operation: RowOperation;
  /** for messages; made only when needed */
  readonly describeKey: () => string;
}

/** Statements in the order of their events, sent many at a time; memory is bounded by their length. */
export class StatementList {
  readonly #target: Database;
  #pending: EventStatement[] = [];
  #length = 0;

  constructor(target: Database) {
    this.#target = target;
  }

  async add(statement: EventStatement): Promise<void> {
    this.#pending.push(statement);
    this.#length += statement.sql.length;
    if (this.#pending.length >= maxStatements || this.#length >= maxLength) await this.flush();
  }

  /** @throws ApplyError naming the event that fails, DatabaseError when the session is lost */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    const statements = this.#pending;
    this.#pending = [];
    this.#length = 0;
    const all = statements.map((statement) => statement.sql).join("\n");
    try {
      await this.#target.execute(`savepoint londiste_rows;\n${all}\nrelease savepoint londiste_rows`);
    } catch (error) {
      if (!(error instanceof DatabaseError) || this.#target.isBroken) throw error;
      await this.#target.execute("rollback to savepoint londiste_rows");
      for (const statement of statements) await this.#runOne(statement);
      await this.#target.execute("release savepoint londiste_rows");
    }
  }

  async #runOne(statement: EventStatement): Promise<void> {
    try {
      await this.#target.execute(statement.sql);
    } catch (error) {
      if (!(error instanceof DatabaseError) || this.#target.isBroken) throw error;
      throw new ApplyError(error.message, statement, {
        cause: error,
        key: statement.describeKey(),
        sqlState: error.sqlState,
        retry: error.retry,
      });
    }
  }
}
