import type { Database } from "@skytools/skytools";
import type { Printer, ResultWriter } from "../output/printer.ts";
import type { Session } from "../session/session.ts";
import { Refusal } from "./refusal.ts";

export interface CommandSettings {
  /** changes are printed, not made */
  readonly isDryRun: boolean;
  /** Asks somebody; throws when nobody can be asked. */
  readonly confirm: (what: string) => Promise<boolean>;
  /** no further statement is wanted */
  readonly leave: () => void;
}

/** What a command works with. */
export class CommandContext {
  readonly session: Session;
  readonly printer: Printer;
  readonly #settings: CommandSettings;

  constructor(session: Session, printer: Printer, settings: CommandSettings) {
    this.session = session;
    this.printer = printer;
    this.#settings = settings;
  }

  get db(): Database {
    return this.session.db;
  }

  get isDryRun(): boolean {
    return this.#settings.isDryRun;
  }

  leave(): void {
    this.#settings.leave();
  }

  /** @throws Refusal when neither the command nor the session names a queue */
  queue(given: string | undefined): string {
    const queue = given ?? this.session.queue;
    if (queue === undefined) throw new Refusal("No queue specified");
    return queue;
  }

  /** Prints the rows of a query as a table.
   * @param rewrite changes a row before it is shown */
  async show(
    title: string | undefined,
    sql: string,
    parameters: readonly (string | null | undefined)[] = [],
    rewrite?: (row: (string | null)[]) => (string | null)[],
  ): Promise<void> {
    const writer = this.printer.table(title);
    const receiver = rewrite === undefined ? writer : rewritten(writer, rewrite);
    const texts = parameters.map((value) => value ?? null);
    try {
      await this.db.queryText(sql, texts, receiver);
    } catch (error) {
      writer.abandon();
      throw error;
    }
    writer.end();
  }

  /** Changes something and prints the outcome; with --dry-run only prints what it would be.
   * @param step what is done: `create queue orders`
   * @param status what is printed then: `CREATE` */
  async change(step: string, status: string, body: (db: Database) => Promise<void>): Promise<void> {
    if (this.isDryRun) {
      this.printer.document(step, { step });
      return;
    }
    await body(this.db);
    this.printer.status(status);
  }

  /** Goes on when the user agrees to what cannot be undone.
   * @param what completes "really ...?"
   * @throws Refusal when the user does not agree */
  async confirm(what: string): Promise<void> {
    if (this.isDryRun || (await this.#settings.confirm(what))) return;
    throw new Refusal("Nothing done");
  }
}

/** All of the body or nothing, within the user's own transaction too. */
export async function atomically<T>(db: Database, body: () => Promise<T>): Promise<T> {
  if (!db.inTransaction) return await db.transaction(body);
  await db.execute("savepoint qadmin");
  try {
    const result = await body();
    await db.execute("release savepoint qadmin");
    return result;
  } catch (error) {
    await db.execute("rollback to savepoint qadmin; release savepoint qadmin").catch(() => undefined);
    throw error;
  }
}

function rewritten(
  writer: ResultWriter,
  rewrite: (row: (string | null)[]) => (string | null)[],
): Parameters<Database["queryText"]>[2] {
  return {
    onColumns: (columns) => writer.onColumns(columns),
    onRow: (row) => writer.onRow(rewrite([...row])),
  };
}
