import {
  type Database,
  type Job,
  quoteLiteral,
  SkytoolsError,
  type StatementOutcome,
} from "@skytools/skytools";
import { NamedQuery } from "../row-query/named-query.ts";
import { type KeyRow, textOf } from "./typed-value.ts";

/** One of the statements that the configuration may hold, with the database that it runs in. */
export class Statement {
  readonly key: string;
  readonly databaseKey: string;
  readonly #job: Job;
  readonly #query: NamedQuery;

  private constructor(job: Job, key: string, databaseKey: string, text: string) {
    this.#job = job;
    this.key = key;
    this.databaseKey = databaseKey;
    try {
      this.#query = new NamedQuery(text);
    } catch (error) {
      if (!(error instanceof SkytoolsError)) throw error;
      throw job.config.error(key, error.message, error.hint);
    }
  }

  /** Undefined when the configuration has none.
   * @throws ConfigError when it has no database for it, or the text is malformed */
  static find(job: Job, key: string, databaseKey: string): Statement | undefined {
    const text = job.config.getOr(key, "").trim();
    if (text === "") return undefined;
    if (job.config.getOr(databaseKey, "") === "") {
      throw job.config.error(key, `needs a database, ${databaseKey} is not set`);
    }
    return new Statement(job, key, databaseKey, text);
  }

  /** @throws SkytoolsError NAMED_QUERY, DatabaseError */
  run(db: Database, parameters: KeyRow): Promise<StatementOutcome<Record<string, unknown>>> {
    const values = this.#query.bind(new Map([...parameters].map(([name, { value }]) => [name, value])));
    const sql = this.#query.filledWith((name, place) => {
      const type = parameters.get(name)?.type;
      return type === undefined ? place : `${place}::pg_catalog.${type}`;
    });
    return db.perform(sql, values);
  }

  /** Runs it in a transaction of its own. */
  async runAlone(parameters: KeyRow): Promise<StatementOutcome<Record<string, unknown>>> {
    return await this.run(await this.#job.databases.get(this.databaseKey, { autocommit: true }), parameters);
  }

  /** The text with values in place of the names; what has no value stays as it is. */
  shownWith(parameters: KeyRow): string {
    return this.#query.filledWith((name) => {
      const found = parameters.get(name);
      if (found === undefined) return `%(${name})s`;
      const text = textOf(found.value);
      if (text === null) return "null";
      const literal = quoteLiteral(text);
      return found.type === undefined ? literal : `${literal}::${found.type}`;
    });
  }
}
