import { waitFor } from "@skytools/testbed";
import { type NodeKey, nodeKeys } from "./cascade-model.ts";
import { ledger } from "./chaos-tables.ts";
import { type LedgerSet, singleTransaction } from "./single-transaction.ts";

/** The number of this writer in the ledger. */
const writer = 9;
const timeoutMs = 600_000;

export interface Recovery {
  readonly after: string;
  readonly times: number;
  readonly medianSeconds: number;
  readonly longestSeconds: number;
}

/** How long it takes until the set does its work again. */
export class Recoveries {
  readonly #seconds = new Map<string, number[]>();

  /** Until a transaction that is begun now is on all nodes.
   * @param after what has happened
   * @param since when, as of performance.now()
   * @throws Error after the deadline */
  async measure(
    set: LedgerSet,
    after: string,
    since: number,
    nodes: readonly NodeKey[] = nodeKeys,
  ): Promise<number> {
    const nr = await waitFor(
      `a node to take a transaction, after ${after}`,
      () => singleTransaction(set, writer),
      { timeoutMs, intervalMs: 50 },
    );
    for (const key of nodes) {
      await waitFor(
        `transaction ${nr} to come to ${key}, after ${after}`,
        async () => {
          const rows = await set.query(
            key,
            `select from ${ledger.name} where writer = ${writer} and nr = ${nr}`,
          );
          return rows.length > 0;
        },
        { timeoutMs, intervalMs: 50 },
      );
    }
    const seconds = (performance.now() - since) / 1000;
    this.#seconds.set(after, [...(this.#seconds.get(after) ?? []), seconds]);
    return seconds;
  }

  summary(): Recovery[] {
    return [...this.#seconds].map(([after, seconds]) => {
      const sorted = seconds.toSorted((a, b) => a - b);
      return {
        after,
        times: sorted.length,
        medianSeconds: sorted[Math.floor(sorted.length / 2)]!,
        longestSeconds: sorted.at(-1)!,
      };
    });
  }
}
