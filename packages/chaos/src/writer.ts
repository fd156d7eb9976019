import { setTimeout as sleep } from "node:timers/promises";
import { Database, DatabaseError } from "@skytools/skytools";
import { RandomSource } from "@skytools/testbed";
import { type NodeKey, queueNodes } from "./cascade-model.ts";
import { allTables } from "./chaos-tables.ts";
import type { Stage } from "./stage.ts";

const pauseMs = 60;

/** An application: transactions on whichever node takes writes, until it is stopped. */
export class Writer {
  readonly #stage: Stage;
  readonly #random: RandomSource;
  readonly #nr: number;
  #place: NodeKey = queueNodes[0]!;
  #db: Database | undefined;
  #isWanted = false;
  #done: Promise<void> = Promise.resolve();

  constructor(stage: Stage, seed: number, nr: number) {
    this.#stage = stage;
    this.#random = new RandomSource(seed * 31 + nr);
    this.#nr = nr;
  }

  start(): void {
    this.#isWanted = true;
    this.#done = this.#write();
    // Whoever stops it sees the failure.
    this.#done.catch(() => {});
  }

  /** @throws what the application would not have expected, for example a key that was given out twice */
  async stop(): Promise<void> {
    this.#isWanted = false;
    await this.#done;
  }

  async #write(): Promise<void> {
    try {
      while (this.#isWanted) {
        if (this.#stage.backlog.isLarge) {
          await sleep(pauseMs);
          continue;
        }
        const isDone = await this.#transaction().catch((error: unknown) => this.#forgive(error));
        if (!isDone) await this.#tryNextNode();
        await sleep(pauseMs);
      }
    } finally {
      await this.#db?.close();
      this.#db = undefined;
    }
  }

  /** Two writers may want the same key, or wait for each other, and a server may be gone.
   * @returns false
   * @throws the error, when a number was given out twice, or a table is not what it should be */
  #forgive(error: unknown): boolean {
    const sqlState = error instanceof DatabaseError ? (error.sqlState ?? "") : "";
    if (sqlState.startsWith("42") || /history_pkey|ledger_pkey/.test(String(error))) throw error;
    return false;
  }

  async #tryNextNode(): Promise<void> {
    await this.#db?.close();
    this.#db = undefined;
    this.#place = queueNodes[(queueNodes.indexOf(this.#place) + 1) % queueNodes.length]!;
  }

  async #transaction(): Promise<boolean> {
    this.#db ??= await Database.open(this.#stage.directConnstr(this.#place), { autocommit: true });
    const transaction = this.#stage.ledger.begin(this.#nr);
    await this.#db.execute(
      [
        "set lock_timeout = '20s'",
        "begin",
        `insert into public.ledger values (${transaction.writer}, ${transaction.nr})`,
        `update public.total set sum = sum + 1 where id = ${transaction.nr % 10}`,
        ...this.#statements(),
        "commit",
      ].join("; "),
    );
    this.#stage.ledger.accept(transaction);
    return true;
  }

  /** In the order of the tables, so that writers do not wait for each other in a circle. */
  #statements(): string[] {
    return allTables.flatMap(({ statements, share }) =>
      statements.length > 0 && this.#random.chance(share ?? 0.5)
        ? this.#random.pick(statements)(this.#random)
        : [],
    );
  }
}
