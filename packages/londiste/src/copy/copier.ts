import type { Job } from "@skytools/skytools";
import { Pidfile, SideJob, UsageError } from "@skytools/skytools";
import type { CopierNews, CopierOrder } from "./copier-message.ts";
import { copyPidfile } from "./copy-pidfile.ts";
import { CopyProcess } from "./copy-process.ts";
import { TakeOverQueue } from "./take-over-queue.ts";

/** Copies tables side by side, as the worker that has started it orders, each over sessions of its own. A table that fails takes
 * no other with it. When the worker is gone, what was begun is brought to its end: a worker that is started meanwhile sees
 * it by its locks. */
export class Copier {
  readonly #job: Job;
  readonly #running = new Map<string, { readonly lane: SideJob; readonly done: Promise<void> }>();
  /** with sessions that the next table can use */
  readonly #idleLanes: SideJob[] = [];
  readonly #takeOvers = new TakeOverQueue();

  constructor(job: Job) {
    this.#job = job;
  }

  /** @returns exit code
   * @throws UsageError when it was not a worker that has started this process */
  async run(): Promise<number> {
    if (process.send === undefined) {
      throw new UsageError("copier is started by the worker", {
        hint: "To copy one table by hand: copy TABLE.",
      });
    }
    const obey = (order: CopierOrder) => this.#obey(order);
    process.on("message", obey);
    process.once("disconnect", () => this.#job.wake());
    while (process.connected && !this.#job.isStopping) await this.#job.sleep(Number.POSITIVE_INFINITY);
    // With a listener the channel would keep this process alive.
    process.off("message", obey);
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ done }) => done));
    for (const lane of this.#idleLanes) await lane.end();
    return 0;
  }

  #obey({ kind, table }: CopierOrder): void {
    const running = this.#running.get(table);
    if (kind === "end") void running?.lane.end();
    else if (kind === "look") running?.lane.wake();
    else if (running === undefined && !this.#job.isStopping) this.#begin(table);
  }

  #begin(table: string): void {
    const lane = this.#idleLanes.pop() ?? new SideJob(this.#job);
    const done = this.#copy(lane, table).then((failure) => {
      this.#running.delete(table);
      this.#tell({ kind: "ended", table, ...(failure === undefined ? {} : { failure }) });
    });
    this.#running.set(table, { lane, done });
  }

  /** @returns why it failed */
  async #copy(lane: SideJob, table: string): Promise<string | undefined> {
    const { log } = this.#job;
    const path = copyPidfile(this.#job.config, table);
    const pidfile = path === "" ? undefined : new Pidfile(path);
    try {
      pidfile?.create();
      const onCopied = () => this.#tell({ kind: "copied", table });
      await new CopyProcess(lane, table, this.#takeOvers, onCopied).run();
      await lane.databases.expire();
      this.#idleLanes.push(lane);
      return undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (process.connected) log.debug(`${table}: copy failed`, { err: error });
      else log.error(`copy of ${table} failed: ${message}`, { err: error });
      await lane.end();
      return message;
    } finally {
      pidfile?.remove();
    }
  }

  #tell(news: CopierNews): void {
    // A worker that is gone meanwhile need not know.
    if (process.connected) process.send?.(news, undefined, undefined, () => {});
  }
}
