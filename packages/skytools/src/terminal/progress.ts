import { MultiBar, type SingleBar } from "cli-progress";
import { ProgressItem, type ProgressTotals } from "./progress-item.ts";

export interface ProgressDisplayOptions {
  /** where bars are drawn when it is a terminal; default stderr */
  readonly stream?: NodeJS.WriteStream;
  /** takes the plain lines when there is no terminal, e.g. the log; default: writes them to the stream */
  readonly line?: (text: string) => void;
  /** plain lines: at most one for each item in this time; default 10000 */
  readonly lineIntervalMs?: number;
  /** default: whether the stream is a terminal */
  readonly isTerminal?: boolean;
  /** milliseconds; replaced in tests */
  readonly now?: () => number;
}

/** Progress of several things at once (tables that are copied): a bar for each on a terminal, elsewhere a plain line
 * for each from time to time and one at its end. Stop it before anything else is written to the terminal. */
export class ProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #line: (text: string) => void;
  readonly #lineIntervalMs: number;
  readonly #now: () => number;
  readonly #bars: MultiBar | undefined;
  readonly #barOf = new Map<ProgressItem, SingleBar>();
  readonly #shownAtMs = new Map<ProgressItem, number>();

  constructor(options: ProgressDisplayOptions = {}) {
    this.#stream = options.stream ?? process.stderr;
    this.#line = options.line ?? ((text) => void this.#stream.write(`${text}\n`));
    this.#lineIntervalMs = options.lineIntervalMs ?? 10_000;
    this.#now = options.now ?? (() => performance.now());
    this.#bars = (options.isTerminal ?? this.#stream.isTTY) ? this.#createBars() : undefined;
  }

  #createBars(): MultiBar {
    return new MultiBar({
      stream: this.#stream,
      // Signals belong to the program, which calls stop().
      gracefulExit: false,
      hideCursor: true,
      linewrap: false,
      forceRedraw: true,
      format: (_options, _parameters, payload: { item: ProgressItem }) =>
        barLine(payload.item, this.#stream.columns),
    });
  }

  /** Begins to show something. */
  add(name: string, totals: ProgressTotals = {}): ProgressTracker {
    const item = new ProgressItem(name, totals, this.#now);
    this.#shownAtMs.set(item, this.#now());
    const bar = this.#bars?.create(1, 0, { item });
    if (bar !== undefined) this.#barOf.set(item, bar);
    return {
      update: (counts) => {
        item.update(counts);
        this.#show(item);
      },
      end: (outcome) => {
        if (item.isEnded) return;
        item.end(outcome);
        this.#show(item);
      },
    };
  }

  #show(item: ProgressItem): void {
    if (this.#bars !== undefined) {
      this.#barOf.get(item)?.update(item.fraction ?? 0, { item });
      return;
    }
    const shownAt = this.#shownAtMs.get(item) ?? 0;
    if (!item.isEnded && this.#now() - shownAt < this.#lineIntervalMs) return;
    this.#shownAtMs.set(item, this.#now());
    this.#line(`${item.name}: ${item.describe()}`);
  }

  /** Draws the last state and gives the terminal back. Safe to repeat. */
  stop(): void {
    this.#bars?.stop();
  }
}

/** How the worker reports. */
export interface ProgressTracker {
  /** Counts since the beginning, not since the last call. */
  update(counts: { bytes?: number; rows?: number | bigint }): void;
  /** @param outcome shown instead of `done`, e.g. `failed` */
  end(outcome?: string): void;
}

const nameWidth = 30;
const barWidth = 20;

/** One line of the display, cut to the terminal. */
export function barLine(item: ProgressItem, columns: number | undefined): string {
  const name =
    item.name.length > nameWidth ? `${item.name.slice(0, nameWidth - 1)}~` : item.name.padEnd(nameWidth);
  const filled = Math.round((item.fraction ?? 0) * barWidth);
  const bar = item.fraction === undefined ? " ".repeat(barWidth) : "=".repeat(filled).padEnd(barWidth, "-");
  return `${name} [${bar}] ${item.describe()}`.slice(0, columns || 80);
}
