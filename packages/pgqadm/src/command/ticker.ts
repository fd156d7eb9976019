import { listMaintenance, moveRetryEvents, runMaintenance, tick } from "@skytools/pgqd";
import type { Command, Database, Job, LoopBody } from "@skytools/skytools";

export const tickerCommand: Command = {
  name: "ticker",
  args: "",
  summary: "tick and maintain this database, until it is stopped; pgqd does it for a whole instance",
  pidfile: "own",
  loop: (job) => new TickerLoop(job),
};

/** Ticks one database; maintenance has a connection of its own, so that a vacuum delays no tick. */
class TickerLoop implements LoopBody {
  readonly #job: Job;
  #maintenance: Promise<void> | undefined;
  #nextRoundMs = 0;
  #nextRetryMs = 0;

  constructor(job: Job) {
    this.#job = job;
  }

  async work(): Promise<"idle"> {
    const { config, databases, statistics } = this.#job;
    const now = performance.now();
    const db = await databases.get("db", { autocommit: true });
    if (await tick(db)) statistics.increase("ticks");
    if (now >= this.#nextRetryMs) {
      const moved = await moveDueEvents(db);
      if (moved > 0n) statistics.increase("retry", moved);
      this.#nextRetryMs = now + config.getFloat("retry_delay") * 1000;
    }
    if (now >= this.#nextRoundMs && this.#maintenance === undefined) {
      this.#nextRoundMs = now + config.getFloat("maint_delay_min") * 60_000;
      this.#maintenance = this.#maintain().finally(() => {
        this.#maintenance = undefined;
      });
    }
    return "idle";
  }

  async shutdown(): Promise<void> {
    await this.#maintenance;
  }

  async #maintain(): Promise<void> {
    const { config, databases, log, statistics } = this.#job;
    try {
      const db = await databases.get("maint", { autocommit: true, connstr: config.get("db") });
      for (const operation of await listMaintenance(db)) {
        if (this.#job.isStopping) return;
        while ((await runMaintenance(db, operation)) && !this.#job.isStopping);
      }
      statistics.increase("maint");
    } catch (error) {
      log.error(`maintenance: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function moveDueEvents(db: Database): Promise<bigint> {
  let total = 0n;
  for (;;) {
    const moved = await moveRetryEvents(db);
    if (moved === 0n) return total;
    total += moved;
  }
}
