import type { Stage } from "../stage.ts";

/** Something that happens to daemons now and then. */
export interface Disturbance {
  readonly name: string;
  run(): Promise<void>;
}

/** Daemons that belong together, with their applications. */
export interface Part {
  /** One small step of the applications; called again and again. */
  write(): Promise<void>;
  readonly disturbances: readonly Disturbance[];
}

/** Creates what its daemons need, and starts them. */
export type StartPart = (stage: Stage) => Promise<Part>;
