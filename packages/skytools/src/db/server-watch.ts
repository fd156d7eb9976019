/** How often in a row a server may leave a probe without answer before its sessions are given up. */
const mostFailures = 2;

export interface ServerWatchOptions {
  /** how long nothing may come or go before the server is asked; milliseconds */
  readonly periodMs: number;
  /** a figure that changes whenever bytes come or go */
  readonly traffic: () => number;
  /** whether the server accepts connections just now */
  readonly probe: () => Promise<boolean>;
  readonly giveUp: (reason: Error) => void;
}

/** Looks after a session while a statement runs in it. A server that is frozen, or behind a connection that swallows everything,
 * never answers and never closes: the kernel on the other side acknowledges for it, so keepalive sees nothing. A long statement
 * looks just the same, so the watch asks the server in another way, with a new connection, and gives the session up only when
 * that gets no answer either. */
export class ServerWatch {
  readonly #options: ServerWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #isWatching = false;
  #lastTraffic = 0;
  #failures = 0;

  constructor(options: ServerWatchOptions) {
    this.#options = options;
  }

  /** A statement begins. */
  start(): void {
    if (this.#isWatching || this.#options.periodMs <= 0) return;
    this.#isWatching = true;
    this.#failures = 0;
    this.#lastTraffic = this.#options.traffic();
    this.#wait();
  }

  /** No statement runs any more. */
  stop(): void {
    this.#isWatching = false;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), this.#options.periodMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { traffic, probe, giveUp, periodMs } = this.#options;
    const now = traffic();
    if (now !== this.#lastTraffic || (await probe())) this.#failures = 0;
    else this.#failures += 1;
    // A statement that ended meanwhile, and another one that has begun, are proof enough.
    if (!this.#isWatching) return;
    if (traffic() !== now) this.#failures = 0;
    this.#lastTraffic = traffic();
    if (this.#failures < mostFailures) return this.#wait();
    this.stop();
    const seconds = Math.round((mostFailures * periodMs) / 1000);
    giveUp(
      new Error(
        `connection lost: the server has not answered for ${seconds} s, nor does it accept connections`,
      ),
    );
  }
}
