import type { TableCopy } from "./copy-watch.ts";
import type { Session } from "./session.ts";

/** Sees whether a small table that is in sync goes on changing on the subscriber while a large one is still copied. */
export class ReplayWitness {
  readonly #subscriber: Session;
  #balance: string | undefined;
  #changes = 0;

  constructor(subscriber: Session) {
    this.#subscriber = subscriber;
  }

  async look(progress: readonly TableCopy[]): Promise<void> {
    const state = (table: string) => progress.find((copy) => copy.table === table)?.state;
    if (state("public.accounts") !== "in-copy" || state("public.tellers") !== "ok") return;
    const [row] = await this.#subscriber.run<{ balance: string }>(
      "select sum(tbalance) as balance from tellers",
    );
    if (this.#balance !== undefined && row?.balance !== this.#balance) this.#changes += 1;
    this.#balance = row?.balance;
  }

  /** How often tellers was seen with other contents than before, while accounts was being copied. */
  get changes(): number {
    return this.#changes;
  }
}
