import { ProgressDisplay, type ProgressTracker } from "@skytools/skytools";
import type { TableCopy } from "./copy-watch.ts";

/** Shows the copies as they go: a bar for each on a terminal, plain lines elsewhere. */
export class CopyDisplay {
  readonly #display = new ProgressDisplay({
    stream: process.stdout,
    line: (text) => void process.stdout.write(`    ${text}\n`),
    lineIntervalMs: 1000,
  });
  readonly #trackers = new Map<string, ProgressTracker>();
  readonly #ended = new Set<string>();

  update(progress: readonly TableCopy[]): void {
    for (const copy of progress) {
      if (this.#ended.has(copy.table) || copy.state === "waiting") continue;
      if (copy.rows === undefined || copy.bytes === undefined) continue;
      const tracker = this.#tracker(copy);
      tracker.update({ rows: copy.rows, bytes: copy.bytes });
      if (copy.state !== "ok") continue;
      tracker.end("in sync");
      this.#ended.add(copy.table);
    }
  }

  #tracker({ table, totalRows, totalBytes }: TableCopy): ProgressTracker {
    let tracker = this.#trackers.get(table);
    if (tracker === undefined) {
      // COPY's bytes and the table's differ; the planner's estimate of rows is the better measure, where there is one.
      tracker = this.#display.add(table, (totalRows ?? 0) > 0 ? { rows: totalRows } : { bytes: totalBytes });
      this.#trackers.set(table, tracker);
    }
    return tracker;
  }

  /** Gives the terminal back. */
  stop(): void {
    this.#display.stop();
  }
}
