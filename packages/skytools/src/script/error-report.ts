import { DatabaseError, SkytoolsError } from "../errors.ts";
import type { Log } from "../log/log.ts";

/** The line that says that a job failed.
 * Source: spec/framework.md 3.6 */
export function crashLine(jobName: string, error: unknown): string {
  const message = messageOf(error).trimEnd();
  if (!(error instanceof DatabaseError)) {
    // What may pass, such as a node that is not there yet, is a state.
    const isState = error instanceof SkytoolsError && error.retry !== "no";
    return `Job ${jobName} ${isState ? "cannot go on" : "crashed"}: ${message}`;
  }
  const query = error.query === undefined ? "" : `.   Query: ${error.query}`;
  return `Job ${jobName} got error on connection: ${message}${query}`;
}

/** Logs why a command failed: our own errors speak for themselves, everything else is a crash. What the log has already
 * comes again only for -v, with its stack. */
export function reportFailure(log: Log, jobName: string, error: unknown): void {
  if (error instanceof SkytoolsError && error.isLogged) {
    log.debug(`db error: ${error.message}`, errorFields(error));
    return;
  }
  const line = error instanceof SkytoolsError ? error.message : crashLine(jobName, error);
  log.error(line, errorFields(error));
}

/** What belongs to an error beside its message. */
export function errorFields(error: unknown): Record<string, unknown> {
  const detail = error instanceof DatabaseError ? error.detail : undefined;
  const hint = error instanceof SkytoolsError ? error.hint : undefined;
  return {
    err: error,
    ...(hint === undefined ? {} : { hint }),
    ...(detail === undefined ? {} : { detail }),
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The exit code of a program that ends by this error. */
export function exitCodeOf(error: unknown): number {
  return error instanceof SkytoolsError ? error.exitCode : 1;
}
