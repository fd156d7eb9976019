/** A sleep that can be ended from outside. One sleeper at a time is usual; ending ends all. */
export class AbortableSleep {
  readonly #sleepers = new Set<() => void>();
  #isWoken = false;
  #isForever = false;

  /** Returns after `ms`, or at once when `wake` came since the last sleep or `stayAwake` ever. */
  async sleep(ms: number): Promise<void> {
    if (this.#isForever || this.#isWoken || ms <= 0) {
      this.#isWoken = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#sleepers.delete(end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(ms, longestTimerMs));
      this.#sleepers.add(end);
    });
  }

  /** Ends the sleeps that are under way. */
  interrupt(): void {
    for (const end of this.#sleepers) end();
  }

  /** As `interrupt`; when nobody sleeps, the next sleep ends at once. */
  wake(): void {
    this.#isWoken = this.#sleepers.size === 0;
    this.interrupt();
  }

  /** No sleep lasts from now on. */
  stayAwake(): void {
    this.#isForever = true;
    this.interrupt();
  }
}

/** Node's timers fire at once beyond this. */
const longestTimerMs = 2_147_483_647;
