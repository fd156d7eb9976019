/** Totals over all databases since the last statistics line. */
export class Counters {
  #ticks = 0;
  #maint = 0;
  #retry = 0n;

  /** one call of pgq.ticker() that returned */
  countTick(): void {
    this.#ticks += 1;
  }

  /** one completed maintenance round */
  countMaintenance(): void {
    this.#maint += 1;
  }

  /** events moved back from the retry queue */
  countRetried(events: bigint): void {
    this.#retry += events;
  }

  /** The statistics line, whose form monitoring reads; starts counting anew. */
  takeLine(): string {
    const line = `{ticks: ${this.#ticks}, maint: ${this.#maint}, retry: ${this.#retry}}`;
    this.#ticks = 0;
    this.#maint = 0;
    this.#retry = 0n;
    return line;
  }
}
