import { setImmediate as nextTurn } from "node:timers/promises";
import type { ApplyLimits } from "./apply-input.ts";
import type { TableEvents } from "./table-events.ts";

/** From so many bytes of a table on a round of statements is worth its cost, when the target has nothing else to do. */
const idleBytes = 128_000;

/** Sends what tables have collected to the target, one piece at a time, while the next events are read. */
export class PieceFlow {
  readonly #limits: ApplyLimits;
  #sending: Promise<void> = Promise.resolve();
  #isSending = false;

  constructor(limits: ApplyLimits) {
    this.#limits = limits;
  }

  /** Waits until the piece on its way has been applied: then the target is free for another statement.
   * @throws its failure */
  async settled(): Promise<void> {
    await this.#sending;
  }

  /** Sends lines on their way when there are many, or enough for a target that has nothing to do. Called for each small block of
   * events: what is being sent gets on only while nothing else runs. */
  async keepBudget(tables: Iterable<TableEvents>): Promise<void> {
    await this.#begin(tables);
    if (this.#isSending) await nextTurn();
  }

  async #begin(tables: Iterable<TableEvents>): Promise<void> {
    const { tableBytes, totalBytes } = this.#limits;
    let total = 0;
    let largest: TableEvents | undefined;
    for (const events of tables) {
      total += events.size;
      if (events.size > (largest?.size ?? 0)) largest = events;
    }
    const enough = this.#isSending ? tableBytes : Math.min(tableBytes, idleBytes);
    if (largest === undefined || (largest.size < enough && total < totalBytes)) return;
    await this.#sending;
    this.#sending = this.#send(largest);
    // Whoever waits for it next sees the failure.
    this.#sending.catch(() => {});
  }

  async #send(events: TableEvents): Promise<void> {
    this.#isSending = true;
    try {
      await events.makeRoom();
    } finally {
      this.#isSending = false;
    }
  }
}
