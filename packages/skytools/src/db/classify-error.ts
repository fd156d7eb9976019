import pg from "pg";
import { type RetryClass, SkytoolsError } from "../errors.ts";

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
 * the same work can succeed when it is tried again, `no` when it fails again for sure.
 * Source: PostgreSQL manual, appendix "PostgreSQL Error Codes". */
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
  switch (sqlState) {
    case "57P01": // admin_shutdown
    case "57P02": // crash_shutdown
    case "57P03": // cannot_connect_now
    case "57P05": // idle_session_timeout
    case "25P03": // idle_in_transaction_session_timeout
    case "25P04": // transaction_timeout
    case "53300": // too_many_connections
      return "reconnect";
    case "40001": // serialization_failure
    case "40P01": // deadlock_detected
    case "55P03": // lock_not_available
    case "57014": // query_canceled, also by statement_timeout
    case "55006": // object_in_use
    case "25006": // read_only_sql_transaction: after a failover the new primary takes it
      return "later";
    default:
      break;
  }
  switch (sqlState.slice(0, 2)) {
    case "08": // connection exceptions
      return "reconnect";
    case "53": // insufficient resources
    case "58": // system error
      return "later";
    default:
      return "no";
  }
}
