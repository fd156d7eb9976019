import type { Job } from "./job.ts";

const firstMs = 50;
const growth = 1.5;

/** Pauses between looks at something that others have to do: short at first, so that what is nearly done is seen at once, then
 * longer, so that a long wait costs nothing. A wait is overshot by half of its length and 50 ms at most. */
export class GrowingPause {
  readonly #job: Pick<Job, "sleep">;
  readonly #longestMs: number;
  #nextMs = firstMs;

  /** @param longestMs milliseconds */
  constructor(job: Pick<Job, "sleep">, longestMs = 1000) {
    this.#job = job;
    this.#longestMs = longestMs;
  }

  /** Ends early when the job is to stop. */
  async take(): Promise<void> {
    const pauseMs = Math.min(this.#nextMs, this.#longestMs);
    this.#nextMs = pauseMs * growth;
    await this.#job.sleep(pauseMs);
  }
}
