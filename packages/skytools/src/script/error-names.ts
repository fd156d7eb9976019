import { meaningOfSqlState } from "../db/sql-state.ts";
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
  return [...names, sqlState, ...meaningOfSqlState(sqlState).names];
}
