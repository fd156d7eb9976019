import type { RandomSource } from "@skytools/testbed";
import type { CascadeModel } from "./cascade-model.ts";
import type { Stage } from "./stage.ts";

/** One thing that happens to the set. When it has been done, everything works again, or comes back by itself. */
export interface Action {
  /** What is chosen at random, for the history: a node, a table, a time. */
  readonly detail: string;
  readonly run: (stage: Stage) => Promise<void>;
}

/** A kind of thing that happens. */
export interface Disturbance {
  readonly name: string;
  /** How often it is drawn, compared with the others of its track. */
  readonly weight: number;
  /** Takes what is chosen at random from the source, and tells the model how the set will be. Nothing that depends on time may
   * come in: the seed is to give the same schedule again. */
  readonly draw: (random: RandomSource, model: CascadeModel) => Action;
}
