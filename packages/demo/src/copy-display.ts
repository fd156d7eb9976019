import { ProgressDisplay, type ProgressTracker } from "@skytools/skytools";
import type { TableCopy } from "./copy-watch.ts";

/** Shows the copies as they go: a bar for each on a terminal, plain lines elsewhere. */
export class CopyDisplay {
  readonly #display = new ProgressDisplay({
    stream: process.stdout,
    line: (text) => void process.stdout.write(`    ${text}\n`),
    lineIntervalMs: 1000,
  });
  readonly #totals: ReadonlyMap<string, number>;
  readonly #trackers = new Map<string, ProgressTracker>();

  /** @param totals expected rows by table */
  constructor(totals: ReadonlyMap<string, number>) {
    this.#totals = totals;
  }

  update(progress: readonly TableCopy[]): void {
    for (const { table, state, rows, bytes } of progress) {
      if (state === "waiting") continue;
      const tracker = this.#tracker(table);
      if (rows > 0) tracker.update({ rows, bytes });
      if (state === "ok") tracker.end("in sync");
    }
  }

  #tracker(table: string): ProgressTracker {
    let tracker = this.#trackers.get(table);
    if (tracker === undefined) {
      tracker = this.#display.add(table, { rows: this.#totals.get(table) });
      this.#trackers.set(table, tracker);
    }
    return tracker;
  }

  /** Gives the terminal back. */
  stop(): void {
    this.#display.stop();
  }
}
