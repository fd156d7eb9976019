/** The copies of one process take their tables over one after the other. Each does so behind a lock on the worker's position; were
 * all of them to wait for it, the worker's next batch would have to wait for all of them. */
export class TakeOverQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `takeOver` when those that came before have ended, well or not. */
  async enter<T>(takeOver: () => Promise<T>): Promise<T> {
    const result = this.#last.then(takeOver);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
