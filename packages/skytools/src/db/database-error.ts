import pg from "pg";
import { DatabaseError } from "../errors.ts";
import { classifyError } from "./classify-error.ts";
import { meaningOfSqlState } from "./sql-state.ts";

/** Turns whatever the driver threw into a DatabaseError: server message first, then where it happened and the SQLSTATE.
 * An error that is already ours is returned as it is.
 * Source: spec/framework.md 3.6 (message shapes). */
export function databaseError(error: unknown, label: string, query?: string): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const text = error instanceof Error ? error.message.trim() : String(error);
  const fields = error instanceof pg.DatabaseError ? error : undefined;
  const hint = hintOf(fields);
  const where = fields?.code === undefined ? label : `${label}, SQLSTATE ${fields.code}`;
  return new DatabaseError(`${text} (${where})`, {
    database: label,
    retry: classifyError(error),
    cause: error,
    ...(fields?.code === undefined ? {} : { sqlState: fields.code }),
    ...(fields?.detail === undefined ? {} : { detail: fields.detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(query === undefined ? {} : { query: shortenQuery(query) }),
  });
}

function hintOf(fields: pg.DatabaseError | undefined): string | undefined {
  if (fields?.code === undefined) return fields?.hint;
  if (!missingObject.includes(fields.code) || !ownSchema.test(fields.message)) {
    return fields.hint ?? meaningOfSqlState(fields.code).hint;
  }
  return fields.hint === undefined ? olderCode : `${fields.hint} ${olderCode}`;
}

/** SQLSTATEs undefined_function, undefined_table, undefined_column */
const missingObject = ["42883", "42P01", "42703"];
const ownSchema = /\b(?:pgq|pgq_node|pgq_coop|pgq_ext|londiste)\./;
const olderCode =
  "Perhaps the server code in this database is older than this program: skytools_doctor3 says what it lacks, skytools_upgrade3 brings it up to date, in place.";

/** SQL for a message: text longer than 200 characters is cut to 60 plus ` ...`.
 * Source: spec/framework.md 3.6. */
export function shortenQuery(query: string): string {
  return query.length > 200 ? `${query.slice(0, 60)} ...` : query;
}
