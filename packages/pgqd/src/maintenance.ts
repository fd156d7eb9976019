import type { Database } from "@skytools/skytools";
import type { DaemonContext } from "./daemon-context.ts";
import type { DatabaseState } from "./database-state.ts";
import { PeriodicJob } from "./periodic-job.ts";
import { listMaintenance, type MaintenanceOperation, runMaintenance } from "./pgq-calls.ts";
import { describe } from "./trouble.ts";

/** an operation that asks to be called again and again gets this many calls in a round */
const mostRepeats = 1000;

/** Runs what pgq.maint_operations() lists: rotation, vacuum, watermarks, sequences. An operation that fails is logged and the
 * round goes on, so that it cannot starve those behind it. Source: spec/pgq-library.md B7 */
export class Maintenance extends PeriodicJob {
  #failures = new Map<string, string>();

  constructor(context: DaemonContext, database: DatabaseState) {
    super(context, database, "maintenance", { sqlMs: 20_000, longestConnectMs: 60_000 });
  }

  protected override periodMs(): number {
    return this.context.settings.maintPeriodMs;
  }

  protected override async round(db: Database): Promise<void> {
    const operations = await listMaintenance(db);
    const failures = new Map<string, string>();
    for (const operation of operations) {
      if (this.isStopping) return;
      try {
        await this.#repeat(db, operation);
      } catch (error) {
        if (db.isBroken) throw error;
        const what = describeOperation(operation);
        failures.set(what, describe(error));
        this.#report(what, describe(error));
      }
    }
    this.#failures = failures;
    this.context.counters.countMaintenance();
    this.database.maintenanceRounds += 1;
  }

  async #repeat(db: Database, operation: MaintenanceOperation): Promise<void> {
    this.context.log.debug(`${this.name}: ${describeOperation(operation)}`);
    for (let calls = 0; calls < mostRepeats && !this.isStopping; calls += 1) {
      if (!(await runMaintenance(db, operation))) return;
    }
  }

  #report(what: string, problem: string): void {
    const line = `${this.name}: maintenance: ${what}: ${problem}`;
    if (this.#failures.get(what) === problem) this.context.log.debug(line);
    else this.context.log.error(line);
  }
}

function describeOperation({ name, argument }: MaintenanceOperation): string {
  return argument === null ? name : `${name}(${argument})`;
}
