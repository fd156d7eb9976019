import pg from "pg";

/** Where a session connects to: the parts of a cluster that matter. */
export interface ServerPlace {
  readonly socketDir: string;
  readonly port: number;
}

/** One connection of the application, which knows nothing of replication. */
export class Session implements AsyncDisposable {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open(place: ServerPlace, database: string, applicationName: string): Promise<Session> {
    const client = new pg.Client({
      host: place.socketDir,
      port: place.port,
      user: "postgres",
      database,
      application_name: applicationName,
    });
    // A lost connection shows itself in the next statement.
    client.on("error", () => {});
    await client.connect();
    return new Session(client);
  }

  /** Several statements in one round trip, each in its own transaction unless they say otherwise. */
  async execute(sql: string): Promise<void> {
    await this.#client.query(sql);
  }

  /** One statement with parameters; values come back as text. */
  async run<R extends pg.QueryResultRow>(
    sql: string,
    parameters: readonly (string | null)[] = [],
  ): Promise<R[]> {
    const result = await this.#client.query<R>({ text: sql, values: [...parameters], types: textTypes });
    return result.rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}

const textTypes = { getTypeParser: () => (value: string) => value };
