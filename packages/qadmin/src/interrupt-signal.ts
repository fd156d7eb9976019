import type { Console } from "./console.ts";

/** Ctrl-C in a script: what runs is cancelled on the server, then the process ends by the signal, as the shell expects. A second
 * one ends it at once. */
export class InterruptSignal {
  readonly #onInterrupt: () => void;
  #cancelled: Promise<void> | undefined;

  constructor(console: Console) {
    this.#onInterrupt = () => {
      console.isLeaving = true;
      if (console.isBusy) this.#cancelled = console.session.db.cancelRunning();
      else process.kill(process.pid, "SIGINT");
    };
    process.once("SIGINT", this.#onInterrupt);
  }

  /** Call it when everything is done. */
  async end(): Promise<void> {
    process.off("SIGINT", this.#onInterrupt);
    if (this.#cancelled === undefined) return;
    await this.#cancelled;
    process.kill(process.pid, "SIGINT");
  }
}
