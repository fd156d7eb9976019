/** A sleep that somebody else can end. A ring that finds nobody asleep ends the next sleep at once. */
export class Alarm {
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  #isRung = false;

  /** Ends after `ms`, or as soon as `ring` is called. One sleeper at a time. */
  sleep(ms: number): Promise<void> {
    if (this.#isRung) {
      this.#isRung = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = setTimeout(() => this.#end(), ms);
    });
  }

  ring(): void {
    if (this.#wake === undefined) this.#isRung = true;
    else this.#end();
  }

  #end(): void {
    clearTimeout(this.#timer);
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
