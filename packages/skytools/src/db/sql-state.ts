import type { RetryClass } from "../errors.ts";

/** What a SQLSTATE means to us. */
export interface SqlStateMeaning {
  readonly retry: RetryClass;
  /** error classes of the two Python drivers, the newer one's name first: existing configurations list them */
  readonly names: readonly string[];
  /** what to do, when the server itself says nothing about it */
  readonly hint: string | undefined;
}

interface Condition {
  readonly name: string;
  readonly retry?: RetryClass;
  readonly hint?: string;
}

interface ConditionClass {
  readonly names: readonly string[];
  readonly retry?: RetryClass;
}

const login =
  "Check user and password in the connect string, the password file and the server's pg_hba.conf.";
const reconnect = "reconnect";
const later = "later";

/** The conditions that occur in running replication.
 * Source: PostgreSQL manual, appendix "PostgreSQL Error Codes"; names: spec/framework.md 3.6 */
const conditions: Readonly<Record<string, Condition>> = {
  "08000": { name: "ConnectionException" },
  "08003": { name: "ConnectionDoesNotExist" },
  "08006": { name: "ConnectionFailure" },
  "22001": { name: "StringDataRightTruncation" },
  "22003": { name: "NumericValueOutOfRange" },
  "22P02": { name: "InvalidTextRepresentation" },
  "23502": { name: "NotNullViolation" },
  "23503": { name: "ForeignKeyViolation" },
  "23505": { name: "UniqueViolation" },
  "23514": { name: "CheckViolation" },
  // After a failover the new primary takes it.
  "25006": {
    name: "ReadOnlySqlTransaction",
    retry: later,
    hint: "The server is a standby or its sessions are read-only; connect to the primary.",
  },
  "25P03": { name: "IdleInTransactionSessionTimeout", retry: reconnect },
  "25P04": { name: "TransactionTimeout", retry: reconnect },
  "28000": { name: "InvalidAuthorizationSpecification", hint: login },
  "28P01": { name: "InvalidPassword", hint: login },
  "3D000": {
    name: "InvalidCatalogName",
    hint: "Check dbname in the connect string; its default is the user's name.",
  },
  "3F000": {
    name: "InvalidSchemaName",
    hint: "Check dbname in the connect string; PgQ's schemas come with pgqadm CONFIG install, or psql -f.",
  },
  "40001": { name: "SerializationFailure", retry: later },
  "40P01": { name: "DeadlockDetected", retry: later },
  "42501": {
    name: "InsufficientPrivilege",
    hint: "Let the owner grant it to the user of the connect string.",
  },
  "42703": { name: "UndefinedColumn" },
  "42883": { name: "UndefinedFunction" },
  "42P01": { name: "UndefinedTable" },
  "53100": { name: "DiskFull" },
  "53200": { name: "OutOfMemory" },
  "53300": {
    name: "TooManyConnections",
    retry: reconnect,
    hint: "Raise max_connections, or end sessions that nobody needs.",
  },
  "55006": { name: "ObjectInUse", retry: later },
  "55P03": { name: "LockNotAvailable", retry: later },
  "57014": { name: "QueryCanceled", retry: later },
  "57P01": { name: "AdminShutdown", retry: reconnect },
  "57P02": { name: "CrashShutdown", retry: reconnect },
  "57P03": { name: "CannotConnectNow", retry: reconnect },
  "57P05": { name: "IdleSessionTimeout", retry: reconnect },
  P0001: { name: "RaiseException" },
};

const operational = ["OperationalError"] as const;
const internal = ["InternalError"] as const;
const programming = ["ProgrammingError"] as const;

/** Classes, and conditions whose family is another than their class has. */
const classes: Readonly<Record<string, ConditionClass>> = {
  "57014": { names: ["OperationalError", "QueryCanceledError"] },
  "08": { names: operational, retry: reconnect },
  "0A": { names: ["NotSupportedError"] },
  "22": { names: ["DataError"] },
  "23": { names: ["IntegrityError"] },
  "24": { names: internal },
  "25": { names: internal },
  "26": { names: programming },
  "28": { names: internal },
  "2B": { names: internal },
  "2D": { names: internal },
  "2F": { names: programming },
  "34": { names: programming },
  "38": { names: programming },
  "39": { names: programming },
  "3B": { names: programming },
  "3D": { names: programming },
  "3F": { names: programming },
  "40": { names: ["OperationalError", "TransactionRollbackError", "TransactionRollback"] },
  "42": { names: programming },
  "44": { names: programming },
  "53": { names: operational, retry: later },
  "54": { names: operational },
  "55": { names: operational },
  "57": { names: operational },
  "58": { names: operational, retry: later },
  F0: { names: internal },
  HV: { names: internal },
  P0: { names: internal },
  XX: { names: internal },
};

/** The one place that knows what a SQLSTATE means: whether it may pass, how it is called, what helps. */
export function meaningOfSqlState(sqlState: string): SqlStateMeaning {
  const condition = conditions[sqlState];
  const kind = classes[sqlState] ?? classes[sqlState.slice(0, 2)];
  return {
    retry: condition?.retry ?? kind?.retry ?? "no",
    names: [...(condition === undefined ? [] : [condition.name]), ...(kind?.names ?? [])],
    hint: condition?.hint,
  };
}
