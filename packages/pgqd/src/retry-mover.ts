import type { Database } from "@skytools/skytools";
import type { DaemonContext } from "./daemon-context.ts";
import type { DatabaseState } from "./database-state.ts";
import { PeriodicJob } from "./periodic-job.ts";
import { moveRetryEvents } from "./pgq-calls.ts";

/** Moves due events of a database back from its retry queue. Source: spec/pgq-library.md B6 */
export class RetryMover extends PeriodicJob {
  constructor(context: DaemonContext, database: DatabaseState) {
    super(context, database, "retry", { sqlMs: 20_000, longestConnectMs: 30_000 });
  }

  protected override periodMs(): number {
    return this.context.settings.retryPeriodMs;
  }

  protected override async round(db: Database): Promise<void> {
    while (!this.isStopping) {
      const moved = await moveRetryEvents(db);
      if (moved === 0n) return;
      this.context.counters.countRetried(moved);
      this.database.retriedEvents += moved;
      this.context.log.debug(`${this.name}: moved ${moved} events from the retry queue`);
    }
  }
}
