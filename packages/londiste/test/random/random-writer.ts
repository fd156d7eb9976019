import { Database, DatabaseError } from "@skytools/skytools";
import { RandomSource, waitFor } from "@skytools/testbed";
import type { Replication } from "../fixture/replication.js";
import { randomStatement, writerSettings } from "./hostile-tables.js";

/** Random transactions on the root, each with one row in the ledger. Failing statements and lost connections are part of it. */
export class RandomWriter {
  readonly #stage: Replication;
  readonly #random: RandomSource;
  readonly #nr: number;
  readonly #done: Promise<void>;
  #isRunning = true;
  #next = 0;
  committed = 0;
  succeeded = 0;
  /** by message, the last statement that gave it */
  readonly failures = new Map<string, string>();

  constructor(stage: Replication, seed: number, nr: number) {
    this.#stage = stage;
    this.#nr = nr;
    this.#random = new RandomSource(seed * 31 + nr);
    this.#done = this.#run();
    this.#done.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    let db: Database | undefined;
    while (this.#isRunning) {
      try {
        db ??= await this.#connect();
        await this.#transaction(db);
        if (this.#random.chance(0.02)) {
          await db.close();
          db = undefined;
        }
      } catch (error) {
        if (!(error instanceof DatabaseError) && db?.isBroken === false) throw error;
        if (db?.isBroken === false) {
          await db.execute("rollback").catch(() => {});
        } else {
          await db?.close();
          db = undefined;
        }
      }
    }
    await db?.close();
  }

  async #connect(): Promise<Database> {
    const connstr = this.#stage.connstr("root");
    const db = await waitFor("the root to take connections", () =>
      Database.open(connstr, { autocommit: true }),
    );
    await db.execute(
      `set lock_timeout = '2s'; set deadlock_timeout = '200ms'; ${this.#random.pick(writerSettings)}`,
    );
    return db;
  }

  async #transaction(db: Database): Promise<void> {
    const random = this.#random;
    this.#next += 1;
    const level = random.chance(0.15) ? "repeatable read" : "read committed";
    await db.execute(`begin isolation level ${level}`);
    await db.execute(`insert into public.ledger values (${this.#nr}, ${this.#next})`);
    for (let left = random.int(0, 4); left > 0; left -= 1) await this.#statement(db);
    if (random.chance(0.05)) await db.execute(`select pg_sleep(${random.next()})`);
    if (random.chance(0.05)) {
      await db.execute("rollback");
      return;
    }
    await db.execute("commit");
    this.committed += 1;
  }

  async #statement(db: Database): Promise<void> {
    const sql = randomStatement(this.#random);
    await db.execute("savepoint s");
    try {
      await db.execute(sql);
      await db.execute(this.#random.chance(0.1) ? "rollback to s" : "release s");
      this.succeeded += 1;
    } catch (error) {
      if (db.isBroken || !(error instanceof DatabaseError) || error.sqlState?.startsWith("40") === true)
        throw error;
      this.failures.set(error.message, sql);
      await db.execute("rollback to s");
    }
  }
}
