import pg from "pg";
import { type RetryClass, SkytoolsError } from "../errors.ts";
import { meaningOfSqlState } from "./sql-state.ts";

const lostConnectionCodes = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENETRESET",
  "ENOTCONN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
]);

const lostConnectionMessages =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout expired|connection lost)/i;

/** What may help after an error: `reconnect` when the session is gone or was refused for now, `later` when
 * the same work can succeed when it is tried again, `no` when it fails again for sure. */
export function classifyError(error: unknown): RetryClass {
  if (error instanceof SkytoolsError) return error.retry;
  if (error instanceof pg.DatabaseError) return classifySqlState(error.code ?? "");
  if (error instanceof AggregateError) return classifyError(error.errors[0]);
  if (!(error instanceof Error)) return "no";
  if ("code" in error && typeof error.code === "string" && lostConnectionCodes.has(error.code))
    return "reconnect";
  return lostConnectionMessages.test(error.message) ? "reconnect" : "no";
}

/** {@link classifyError} for a bare SQLSTATE. */
export function classifySqlState(sqlState: string): RetryClass {
  return meaningOfSqlState(sqlState).retry;
}
