import type { CascadeModel } from "./cascade-model.ts";
import { countEvents } from "./queue-content.ts";
import type { Stage } from "./stage.ts";

export interface Rate {
  readonly seconds: number;
  readonly transactionsPerSecond: number;
  readonly eventsPerSecond: number;
}

/** What the writers get through in some stretches of time. */
export class Throughput {
  #seconds = 0;
  #transactions = 0;
  #events = 0;

  /** Counts what comes while something runs. */
  async during(stage: Stage, model: CascadeModel, run: () => Promise<void>): Promise<void> {
    const started = performance.now();
    const transactions = stage.ledger.accepted.size;
    const events = await countEvents(stage, model.root);
    await run();
    this.#seconds += (performance.now() - started) / 1000;
    this.#transactions += stage.ledger.accepted.size - transactions;
    this.#events += (await countEvents(stage, model.root)) - events;
  }

  get rate(): Rate {
    return {
      seconds: Math.round(this.#seconds),
      transactionsPerSecond: this.#transactions / this.#seconds,
      eventsPerSecond: this.#events / this.#seconds,
    };
  }
}
