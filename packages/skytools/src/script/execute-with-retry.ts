import { classifyError } from "../db/classify-error.ts";
import type { GetDatabaseOptions } from "../db/databases.ts";
import { UsageError } from "../errors.ts";
import { messageOf } from "./error-report.ts";
import type { Job } from "./job.ts";

export interface ExecuteWithRetryOptions extends Omit<GetDatabaseOptions, "autocommit" | "isolation"> {
  /** default: everything that may pass, see classifyError() */
  readonly isRetryable?: (error: unknown) => boolean;
}

/** Runs one statement on the autocommit session of a key. When `sql_retry` is on and the failure may pass, the session is closed
 * and the statement is tried again on a new one, within `sql_retry_max_count` and `sql_retry_max_time`, after pauses of
 * min(`sql_retry_formula_cap`, `_a` + `_b` * tries) seconds. A statement whose session broke may have taken effect: use it for what
 * may happen twice.
 * @returns the rows and the number of retries
 * @throws UsageError when the key's session is not in autocommit mode, else the last failure
 * Source: spec/framework.md 4.6 */
export async function executeWithRetry<R extends object = Record<string, unknown>>(
  job: Job,
  key: string,
  sql: string,
  parameters: readonly unknown[] = [],
  { isRetryable = mayPass, ...connection }: ExecuteWithRetryOptions = {},
): Promise<{ readonly rows: R[]; readonly retries: number }> {
  const { config, databases, log } = job;
  const startMs = performance.now();
  for (let retries = 0; ; retries++) {
    try {
      const db = await databases.get(key, connection);
      if (!db.autocommit) throw notAutocommit(key);
      return { rows: await db.query<R>(sql, parameters), retries };
    } catch (error) {
      const isAllowed =
        config.getBoolean("sql_retry") &&
        retries < config.getInt("sql_retry_max_count") &&
        performance.now() - startMs < config.getFloat("sql_retry_max_time") * 1000;
      if (!isAllowed || job.isStopping || !isRetryable(error)) throw error;
      log.info(`Job ${job.name} got error on connection "${key}": ${messageOf(error)}`);
      await databases.close(key);
      const seconds = pauseSeconds(job, retries + 1);
      log.info(`Retry #${retries + 1} in ${seconds} s`);
      await job.sleep(seconds * 1000);
    }
  }
}

function mayPass(error: unknown): boolean {
  return classifyError(error) !== "no";
}

function pauseSeconds({ config }: Job, tries: number): number {
  const [a, b, cap] = (["a", "b", "cap"] as const).map((part) =>
    config.getFloat(`sql_retry_formula_${part}`),
  );
  return Math.min(cap!, a! + b! * tries);
}

function notAutocommit(key: string): UsageError {
  return new UsageError(`database "${key}" must be in autocommit mode for a statement that is retried`, {
    hint: "Set its default with databases.setDefaults(key, { autocommit: true }).",
  });
}
