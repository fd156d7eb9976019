import { RandomSource } from "@skytools/testbed";
import { crashServer } from "./breakdown/crash-server.ts";
import { killDaemon } from "./breakdown/kill-daemon.ts";
import type { CascadeModel } from "./cascade-model.ts";
import type { Action, Disturbance } from "./disturbance.ts";
import type { History } from "./history.ts";
import { cutConnections } from "./impediment/cut-connections.ts";
import { delayTicks } from "./impediment/delay-ticks.ts";
import { fillDisk } from "./impediment/fill-disk.ts";
import { halfOpenConnections } from "./impediment/half-open-connections.ts";
import { openTransaction } from "./impediment/open-transaction.ts";
import { silentServers } from "./impediment/silent-servers.ts";
import type { Stage } from "./stage.ts";

/** What recovery is measured against. */
const undisturbed: Disturbance = {
  name: "nothing",
  weight: 1,
  draw: () => ({ detail: "", run: (stage) => stage.pause(5000) }),
};

const kinds = [
  undisturbed,
  killDaemon,
  crashServer,
  cutConnections,
  halfOpenConnections,
  silentServers,
  delayTicks,
  openTransaction,
  fillDisk,
];
const kindsInRound = 3;

/** Faults that come alone, so that it can be said which one the time until the set works again belongs to. */
export class OneAtATime {
  readonly #random: RandomSource;
  readonly #kinds: readonly Disturbance[];
  #next = 0;

  /** @param without what this machine cannot have */
  constructor(seed: number, without: readonly Disturbance[]) {
    this.#random = new RandomSource(seed * 7 + 6);
    this.#kinds = kinds.filter((kind) => !without.includes(kind));
  }

  /** The next few kinds, each measured from its end. */
  async disturb(stage: Stage, model: CascadeModel, history: History): Promise<void> {
    for (let count = 0; count < kindsInRound; count += 1) {
      const kind = this.#kinds[this.#next % this.#kinds.length]!;
      this.#next += 1;
      const action: Action = kind.draw(this.#random, model);
      history.note(`alone: ${kind.name} ${action.detail}`);
      await action.run(stage);
      const seconds = await stage.recoveries.measure(stage, kind.name, performance.now());
      history.note(`  on all nodes after ${seconds.toFixed(1)} s`);
      history.count(`alone: ${kind.name}`);
    }
  }
}
