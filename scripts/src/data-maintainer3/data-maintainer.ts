import { dryRunSwitch, type Job, type LoopBody, type Program, skytoolsVersion } from "@skytools/skytools";
import { checkKeyList } from "./key-list.ts";
import { maintenanceKeys } from "./maintenance-keys.ts";
import { MaintenanceRun } from "./maintenance-run.ts";
import { showRun } from "./show-run.ts";
import { type MaintenanceStatements, readStatements } from "./statements.ts";

/** Each round is a whole run over the list. */
class DataMaintainer implements LoopBody {
  readonly #job: Job;
  #statements: MaintenanceStatements;

  constructor(job: Job) {
    this.#job = job;
    this.#statements = checked(job);
  }

  async work(): Promise<"idle"> {
    if (this.#job.isDryRun) {
      await showRun(this.#job, this.#statements);
      this.#job.requestStop();
      return "idle";
    }
    try {
      await new MaintenanceRun(this.#job, this.#statements).run();
    } finally {
      // A file is worked through once, also when it fails.
      if (this.#job.config.getOr("fileread", "") !== "") this.#job.requestStop();
    }
    return "idle";
  }

  async reload(): Promise<void> {
    this.#statements = checked(this.#job);
  }
}

/** @throws ConfigError for what a single key cannot tell */
function checked(job: Job): MaintenanceStatements {
  checkKeyList(job);
  return readStatements(job);
}

/** Works through a long list of keys in small commits.
 * Source: spec/scripts.md section 9 */
export const dataMaintainer: Program = {
  service: "data_maintainer3",
  sectionAliases: ["data_maintainer"],
  version: skytoolsVersion,
  summary: "runs a statement for each row of a query or of a CSV file, in small commits",
  config: [{ title: "data_maintainer3", keys: maintenanceKeys }],
  switches: [{ ...dryRunSwitch, doc: "print the statements for the first rows without changing anything" }],
  defaultLoop: (job) => new DataMaintainer(job),
};
