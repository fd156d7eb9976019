import { DatabaseError, SkytoolsError } from "../errors.ts";

/** Names under which `exception_quiet` may list an error: ours, and those of the Python drivers, because existing
 * configurations have them.
 * Source: spec/framework.md 3.6 */
export function errorNames(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const names = [error.constructor.name, "Exception"];
  if (error instanceof SkytoolsError) names.push(error.code);
  if (!(error instanceof DatabaseError)) return names;
  const { sqlState } = error;
  names.push("Error", "DatabaseError");
  if (sqlState === undefined) return [...names, "OperationalError"];
  const condition = conditions[sqlState];
  const family = families.find(([pattern]) => pattern.test(sqlState))?.[1] ?? [];
  return [...names, sqlState, ...family, ...(condition === undefined ? [] : [condition])];
}

/** Error classes of the older driver, by SQLSTATE class. */
const families: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(40)/, ["OperationalError", "TransactionRollbackError", "TransactionRollback"]],
  [/^(57014)/, ["OperationalError", "QueryCanceledError"]],
  [/^(08|53|54|55|57|58)/, ["OperationalError"]],
  [/^(22)/, ["DataError"]],
  [/^(23)/, ["IntegrityError"]],
  [/^(0A)/, ["NotSupportedError"]],
  [/^(25|24|2D|28|2B|F0|HV|P0|XX)/, ["InternalError"]],
  [/^(26|2F|34|38|39|3B|3D|3F|42|44)/, ["ProgrammingError"]],
];

/** Error classes of the newer driver, by SQLSTATE; those that occur in running replication. */
const conditions: Readonly<Record<string, string>> = {
  "08000": "ConnectionException",
  "08003": "ConnectionDoesNotExist",
  "08006": "ConnectionFailure",
  "22001": "StringDataRightTruncation",
  "22003": "NumericValueOutOfRange",
  "22P02": "InvalidTextRepresentation",
  "23502": "NotNullViolation",
  "23503": "ForeignKeyViolation",
  "23505": "UniqueViolation",
  "23514": "CheckViolation",
  "25006": "ReadOnlySqlTransaction",
  "25P03": "IdleInTransactionSessionTimeout",
  "28000": "InvalidAuthorizationSpecification",
  "28P01": "InvalidPassword",
  "3D000": "InvalidCatalogName",
  "40001": "SerializationFailure",
  "40P01": "DeadlockDetected",
  "42501": "InsufficientPrivilege",
  "42703": "UndefinedColumn",
  "42883": "UndefinedFunction",
  "42P01": "UndefinedTable",
  "53100": "DiskFull",
  "53200": "OutOfMemory",
  "53300": "TooManyConnections",
  "55P03": "LockNotAvailable",
  "57014": "QueryCanceled",
  "57P01": "AdminShutdown",
  "57P02": "CrashShutdown",
  "57P03": "CannotConnectNow",
  P0001: "RaiseException",
};
