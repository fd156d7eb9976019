import type { Job } from "@skytools/skytools";

/** Whoever waits for something that others have to do wants to know, now and then, why it does not come. */
export class WaitReport {
  readonly #periodMs: number;
  #since = performance.now();

  /** The time begins to count. Its length is the setting `wait_report_period` of the job. */
  constructor(job: Pick<Job, "config">) {
    const seconds = job.config.getFloat("wait_report_period");
    this.#periodMs = seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000;
  }

  /** Something has come nearer: the time counts from now. */
  startOver(): void {
    this.#since = performance.now();
  }

  /** @returns true when it is time for a word, and counts from now */
  take(): boolean {
    if (performance.now() - this.#since <= this.#periodMs) return false;
    this.startOver();
    return true;
  }
}
