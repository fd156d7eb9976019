import { Database, type Job, SkytoolsError } from "@skytools/skytools";
import { examineModules, type ModuleExamination } from "@skytools/sql";
import type { DatabaseTarget } from "../database-target/database-targets.ts";

/** What one database is like. */
export interface DatabaseExamination {
  readonly database: string;
  readonly modules: readonly ModuleExamination[];
  /** why it could not be looked at */
  readonly error?: string;
}

/** Examines one database; that it cannot be looked at is a result too, and logged. */
export async function examineDatabase(
  job: Job,
  { name, connstr }: DatabaseTarget,
): Promise<DatabaseExamination> {
  try {
    await using db = await Database.open(connstr, { autocommit: true, applicationName: job.name });
    return { database: name, modules: await examineModules(db) };
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    job.log.error(`${name}: ${error.message}`);
    return { database: name, modules: [], error: error.message };
  }
}
