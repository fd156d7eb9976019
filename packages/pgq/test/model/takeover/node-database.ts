import { type Database, type Job, SkytoolsError } from "@skytools/skytools";
import { type OpenNode, type Row, type ServerFaults, serverFunctions } from "./node-functions.js";
import type { ModelNode, ModelNodes } from "./set-world.js";

/** Where a command finds the databases of a set. */
export interface SetDatabases {
  /** the nodes of the world that is looked at */
  nodes: ModelNodes;
  /** As a Job's databases: the local one under `db`, the others by their location. */
  of(localName: string): Pick<Job["databases"], "get">;
}

/** The databases of a set: what takeover sends to them is done to the nodes of a model. */
export class NodeDatabases implements SetDatabases {
  nodes: ModelNodes = {};
  readonly #faults: ServerFaults;
  readonly #open = new Map<string, Database>();

  constructor(faults: ServerFaults) {
    this.#faults = faults;
  }

  of(localName: string): Pick<Job["databases"], "get"> {
    return {
      get: async (key) => this.#database(key === "db" ? localName : key.replace("node.dbname=", "")),
    };
  }

  #database(name: string): Database {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const database: Pick<Database, keyof NodeDatabase> = new NodeDatabase(this, name, this.#faults);
    this.#open.set(name, database as Database);
    return database as Database;
  }
}

/** A connection to one of them. What is read and changed outside of `transaction` counts at once. */
class NodeDatabase {
  readonly label: string;
  readonly inTransaction = false;
  readonly #all: NodeDatabases;
  readonly #faults: ServerFaults;

  constructor(all: NodeDatabases, name: string, faults: ServerFaults) {
    this.label = name;
    this.#all = all;
    this.#faults = faults;
  }

  async query<R extends object = Row>(sql: string, values: readonly unknown[] = []): Promise<R[]> {
    const name = this.label;
    const all = this.#all;
    if (!all.nodes[name]!.isUp) throw new SkytoolsError("DB_CONNECT", `${name} does not answer`);
    const open: OpenNode = {
      name,
      get node() {
        return all.nodes[name]!;
      },
      get all() {
        return all.nodes;
      },
      change(change: Partial<ModelNode>) {
        all.nodes = { ...all.nodes, [name]: { ...all.nodes[name]!, ...change } };
      },
    };
    const found = serverFunctions.find(([piece]) => sql.includes(piece));
    if (found === undefined) throw new Error(`the model has no server function for: ${sql}`);
    return found[1](open, values, this.#faults) as R[];
  }

  async queryMaybe<R extends object = Row>(sql: string, values?: readonly unknown[]): Promise<R | undefined> {
    return (await this.query<R>(sql, values))[0];
  }

  async queryOne<R extends object = Row>(sql: string, values?: readonly unknown[]): Promise<R> {
    return (await this.query<R>(sql, values))[0]!;
  }

  async queryValue<T>(sql: string, values?: readonly unknown[]): Promise<T | undefined> {
    const row = await this.queryMaybe<Record<string, T>>(sql, values);
    return row === undefined ? undefined : Object.values(row)[0];
  }

  async commit(): Promise<void> {}

  async rollback(): Promise<void> {}

  async transaction<T>(body: () => Promise<T>): Promise<T> {
    const before = this.#all.nodes;
    try {
      return await body();
    } catch (error) {
      this.#all.nodes = { ...this.#all.nodes, [this.label]: before[this.label]! };
      throw error;
    }
  }

  async autocommitted<T>(body: () => Promise<T>): Promise<T> {
    return body();
  }
}
