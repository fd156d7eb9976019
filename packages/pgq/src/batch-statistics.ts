import type { Statistics } from "@skytools/skytools";

/** The statistics of a consumer's rounds, as monitoring reads them: `count` and `duration` for each batch, `idle` before a
 * batch with events and, alone, whenever idling exceeds `keepaliveSeconds`.
 * Source: spec/pgq-library.md A12, spec/cascade.md 7.8 */
export class BatchStatistics {
  readonly #statistics: Statistics;
  #roundStartMs: number;
  #idleStartMs: number;

  constructor(statistics: Statistics, nowMs: number) {
    this.#statistics = statistics;
    this.#roundStartMs = nowMs;
    this.#idleStartMs = nowMs;
  }

  /** Call before asking for a batch. */
  roundStarts(keepaliveSeconds: number, nowMs: number): void {
    this.#roundStartMs = nowMs;
    if (nowMs - this.#idleStartMs > keepaliveSeconds * 1000) {
      this.#statistics.putFloat("idle", seconds(nowMs - this.#idleStartMs));
      this.#idleStartMs = nowMs;
    }
  }

  /** Call after the batch was finished. */
  batchEnds(eventCount: number, nowMs: number): void {
    this.#statistics.put("count", eventCount);
    this.#statistics.putFloat("duration", seconds(nowMs - this.#roundStartMs));
    if (eventCount === 0) return;
    this.#statistics.putFloat("idle", seconds(this.#roundStartMs - this.#idleStartMs));
    this.#idleStartMs = nowMs;
  }
}

function seconds(ms: number): number {
  return Math.round(ms * 10) / 10_000;
}
