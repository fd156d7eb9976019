import type { Job } from "@skytools/skytools";
import type { CascadedBatch } from "./cascaded-application.ts";
import { synchronizeWatermark } from "./sync-watermark.ts";
import { adoptTickerSettings } from "./ticker-settings.ts";
import { Period, reportLocalWatermark } from "./watermark.ts";

/** What a node's worker and its provider tell each other every `local_wm_publish_period`: the node's watermark, and to a branch the
 * settings of the ticker. Branches that keep in step look at each other then, too. */
export class ProviderReport {
  readonly #job: Job;
  readonly #period = new Period();
  #upstreamWatermark: bigint | undefined;

  constructor(job: Job) {
    this.#job = job;
  }

  /** Notes what upstream has published, for branches that keep in step. */
  noteUpstreamWatermark(tickId: bigint): void {
    this.#upstreamWatermark = tickId;
  }

  /** Reports after a batch, if it is time. The time of the next report counts from here: a failure is not repeated at once. */
  async after(work: CascadedBatch): Promise<void> {
    const { role, source, target, queueName, batch } = work;
    if (!role.reportsLocalWatermark) return;
    const periodSeconds = this.#job.config.getFloat("local_wm_publish_period");
    if (!this.#period.take(periodSeconds, Date.now())) return;
    if (role.mirrorsTicks) await adoptTickerSettings(source, target, queueName);
    await reportLocalWatermark(source, work, batch, this.#job.log);
    if (role.syncWatermark === null || this.#upstreamWatermark === undefined) return;
    await synchronizeWatermark(work, role.syncWatermark, this.#upstreamWatermark);
  }
}
