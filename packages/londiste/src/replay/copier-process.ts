import { type ChildProcess, spawn } from "node:child_process";
import { getPriority, setPriority } from "node:os";
import { crashPoint, type Job } from "@skytools/skytools";
import type { CopierNews, CopierOrder } from "../copy/copier-message.ts";

export interface CopierEvents {
  onCopied(): void;
  /** @param failure undefined: it came to its end
   * @param isCrash the whole process has ended */
  onEnded(table: string, failure: string | undefined, isCrash: boolean): void;
  onExit(): void;
}

/** A child process that copies tables, as its worker sees it. */
export class CopierProcess {
  /** tables that are being copied there */
  readonly tables = new Set<string>();
  readonly #child: ChildProcess;
  readonly #events: CopierEvents;
  readonly #exit: Promise<void>;
  #isUsable = true;

  constructor(job: Job, events: CopierEvents) {
    const { config, isVerbose } = job;
    this.#events = events;
    const flags = [...(isVerbose ? ["-v"] : []), ...overridesOf(process.argv)];
    this.#child = spawn(process.execPath, [process.argv[1] ?? "", ...flags, config.file, "copier"], {
      // Its log goes where ours goes; with a log file there is no need to hold our terminal open.
      stdio: ["ignore", "ignore", config.getOr("logfile", "") === "" ? "inherit" : "ignore", "ipc"],
      env: job.env,
    });
    crashPoint("copier.started");
    yieldProcessor(this.#child);
    this.#child.on("message", (news: CopierNews) => {
      if (news.kind === "copied") events.onCopied();
      else if (this.tables.delete(news.table)) events.onEnded(news.table, news.failure, false);
      if (!this.#isUsable) this.#dismiss();
    });
    this.#exit = new Promise((resolve) => {
      this.#child.on("error", (error) => {
        if (this.#child.pid !== undefined) return;
        this.#gone(`could not be started: ${error.message}`);
        resolve();
      });
      this.#child.once("exit", (code, signal) => {
        this.#gone(code === 0 ? undefined : signal ? `was ended by ${signal}` : `exit code ${code}`);
        resolve();
      });
    });
  }

  /** it takes more tables */
  get isUsable(): boolean {
    return this.#isUsable && this.#child.connected;
  }

  begin(table: string): void {
    this.tables.add(table);
    this.#order({ kind: "begin", table });
  }

  nudge(table: string): void {
    this.#order({ kind: "look", table });
  }

  end(table: string): void {
    this.#order({ kind: "end", table });
  }

  /** No more tables: it ends when it has done what it has. */
  retire(): void {
    this.#isUsable = false;
    this.#dismiss();
  }

  /** Not before: an order that it has not read yet, because it is starting, would be lost. */
  #dismiss(): void {
    if (this.tables.size === 0 && this.#child.connected) this.#child.disconnect();
  }

  /** What it has not committed is rolled back. */
  async kill(): Promise<void> {
    this.#isUsable = false;
    this.#child.kill("SIGTERM");
    await this.#exit;
  }

  #order(order: CopierOrder): void {
    // One that cannot be reached any more is about to tell its end.
    this.#child.send(order, () => {});
  }

  #gone(failure: string | undefined): void {
    this.#isUsable = false;
    const left = [...this.tables];
    this.tables.clear();
    for (const table of left) this.#events.onEnded(table, failure, failure !== undefined);
    this.#events.onExit();
  }
}

/** Replay comes before copies where both want the processor: a nice value of 5 more leaves the copier a quarter of one that they
 * share. */
function yieldProcessor(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    setPriority(child.pid, Math.min(getPriority() + 5, 19));
  } catch {
    // A sandbox may forbid it: then both share alike.
  }
}

/** The --set switches of a command line: they hold for the copier too. */
function overridesOf(argv: readonly string[]): string[] {
  return argv.flatMap((word, nr) => {
    if (word.startsWith("--set=")) return [word];
    const value = argv[nr + 1];
    return word === "--set" && value !== undefined ? [word, value] : [];
  });
}
