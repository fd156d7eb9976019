import type { Job } from "@skytools/skytools";
import { Statement } from "./statement.ts";

/** The statements that a configuration gives. */
export interface MaintenanceStatements {
  readonly before: Statement | undefined;
  readonly modify: Statement;
  readonly after: Statement | undefined;
  readonly onCrash: Statement | undefined;
  readonly throttle: Statement | undefined;
}

/** @throws ConfigError */
export function readStatements(job: Job): MaintenanceStatements {
  const modify = Statement.find(job, "sql_modify", "dbwrite");
  if (modify === undefined) throw job.config.error("sql_modify", "required key is not set");
  return {
    modify,
    before: Statement.find(job, "sql_before_run", "dbbefore"),
    after: Statement.find(job, "sql_after_run", "dbafter"),
    onCrash: Statement.find(job, "sql_on_crash", "dbcrash"),
    throttle: Statement.find(job, "sql_throttle", "dbthrottle"),
  };
}
