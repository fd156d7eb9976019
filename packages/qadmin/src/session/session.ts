import { Database, type Notice, SkytoolsError } from "@skytools/skytools";

export interface SessionOptions {
  readonly onNotice: (notice: Notice) => void;
  readonly onWarning: (message: string) => void;
}

/** Where the console is connected, and the queue that commands mean when they name none. */
export class Session implements AsyncDisposable {
  readonly #options: SessionOptions;
  #db: Database | undefined;
  #connstr = "";
  queue: string | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** what the connection was made with */
  get connstr(): string {
    return this.#connstr;
  }

  /** @throws SkytoolsError NOT_CONNECTED */
  get db(): Database {
    if (this.#db === undefined) {
      throw new SkytoolsError("NOT_CONNECTED", "not connected", {
        hint: "Connect with: connect dbname=NAME;",
      });
    }
    return this.#db;
  }

  /** the server or the network ended the connection */
  get isLost(): boolean {
    return this.#db?.isBroken === true;
  }

  /** Connects; the connection before ends when that has worked.
   * @throws UsageError for a bad connect string, DatabaseError */
  async connect(connstr: string): Promise<void> {
    const db = await Database.open(connstr, {
      applicationName: "qadmin",
      autocommit: true,
      ...this.#options,
    });
    const before = this.#db;
    this.#db = db;
    this.#connstr = connstr;
    await before?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db?.close();
  }
}
