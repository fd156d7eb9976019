import type { Database } from "@skytools/skytools";
import type { DaemonContext } from "../daemon-context.ts";
import type { DatabaseState } from "../database-state.ts";
import { PeriodicJob } from "../periodic-job.ts";
import { queryFigures } from "./figures-query.ts";

const statementTimeoutMs = 5000;

/** Asks a database for the figures of its queues now and then, however often metrics are read, and only while somebody can
 * read them. On a connection of its own and with a time-out: monitoring never delays a tick. */
export class FiguresCollector extends PeriodicJob {
  constructor(context: DaemonContext, database: DatabaseState) {
    super(context, database, "figures", { sqlMs: 60_000, longestConnectMs: 60_000 });
  }

  protected override periodMs(): number | undefined {
    const { httpListen, metricsPeriodMs } = this.context.settings;
    return httpListen === undefined ? undefined : metricsPeriodMs;
  }

  protected override async round(db: Database): Promise<void> {
    await db.execute(`set statement_timeout = ${statementTimeoutMs}`);
    const figures = await queryFigures(db);
    if (this.database.presence === "present") this.database.figures = figures;
  }
}
