import { GrowingPause, type Job, SkytoolsError } from "@skytools/skytools";
import { WaitReport } from "../wait-report.ts";

/** How long a command waits for something that others have to do. */
export class Patience {
  readonly #job: Job;
  readonly #timeoutSeconds: number;

  /** @param timeoutSeconds for each wait; 0: no limit */
  constructor(job: Job, timeoutSeconds: number) {
    this.#job = job;
    this.#timeoutSeconds = timeoutSeconds;
  }

  get timeoutSeconds(): number {
    return this.#timeoutSeconds;
  }

  /** Polls until the condition holds.
   * @param describe says what is missing, and what to look at, when the time is over, and now and then before
   * @throws SkytoolsError CASCADE_TIMEOUT; CASCADE_CANCELED when the command was told to stop */
  async until(
    isMet: () => Promise<boolean>,
    describe: () => { readonly message: string; readonly hint: string },
  ): Promise<void> {
    const deadline = performance.now() + this.#timeoutSeconds * 1000;
    const pause = new GrowingPause(this.#job);
    const report = new WaitReport(this.#job);
    while (!(await isMet())) {
      if (this.#job.isStopping) throw new SkytoolsError("CASCADE_CANCELED", "interrupted while waiting");
      if (this.#timeoutSeconds > 0 && performance.now() > deadline) {
        const { message, hint } = describe();
        throw new SkytoolsError("CASCADE_TIMEOUT", `${message} (waited ${this.#timeoutSeconds} s)`, { hint });
      }
      if (report.take()) {
        const { message, hint } = describe();
        this.#job.log.warn(message, { hint });
      }
      await pause.take();
    }
  }
}
