import { SkytoolsError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { quoteStatement } from "../quoting/quote-literal.ts";
import type { Database } from "./database.ts";
import { shortenQuery } from "./database-error.ts";

/** What administrative functions return. */
export interface ReturnCodeRow {
  readonly ret_code: number;
  readonly ret_note: string | null;
}

/** An administrative function refused: its code was 400 or above, or of no known class. Ends a command with exit code 1; a
 * daemon tries again, because what it lacks may come. */
export class ReturnCodeError extends SkytoolsError {
  /** every row that the function returned */
  readonly rows: readonly ReturnCodeRow[];
  /** the first failing code */
  readonly returnCode: number;

  constructor(message: string, rows: readonly ReturnCodeRow[], returnCode: number) {
    super("RETURN_CODE", message, { retry: "later", isLogged: true });
    this.rows = rows;
    this.returnCode = returnCode;
  }
}

export interface ExecCommandOptions {
  /** shown as `[prefix] ` before each note */
  readonly prefix?: string;
  /** 2xx notes go to debug */
  readonly quiet?: boolean;
  /** default true: commit on success and roll back on failure; false leaves both to the caller */
  readonly commit?: boolean;
}

/** Calls a function that returns ret_code and ret_note rows and logs each note by its class: 1xx debug, 2xx info,
 * 3xx warn, everything else error.
 * @throws ReturnCodeError when a row is an error, SkytoolsError RETURN_CODE_MISSING when the columns are absent
 * Source: spec/framework.md 4.5. */
export async function execCommand<R extends object = Record<string, unknown>>(
  db: Database,
  log: Log,
  sql: string,
  parameters: readonly unknown[] = [],
  options: ExecCommandOptions = {},
): Promise<(R & ReturnCodeRow)[]> {
  return await execCommandMany<R>(db, log, sql, parameters, undefined, options);
}

/** {@link execCommand} once for each item, which becomes the last parameter; one verdict over all.
 * @param items undefined: one call, no item */
export async function execCommandMany<R extends object = Record<string, unknown>>(
  db: Database,
  log: Log,
  sql: string,
  parameters: readonly unknown[],
  items: readonly unknown[] | undefined,
  options: ExecCommandOptions = {},
): Promise<(R & ReturnCodeRow)[]> {
  const ownsTransaction = options.commit ?? true;
  const rows: (R & ReturnCodeRow)[] = [];
  try {
    for (const actual of items === undefined ? [parameters] : items.map((item) => [...parameters, item])) {
      rows.push(...checkColumns(log, sql, actual, await db.query<R>(sql, actual)));
    }
    logAndJudge(log, sql, rows, options);
  } catch (error) {
    if (ownsTransaction) await db.rollback().catch(() => undefined);
    throw error;
  }
  if (ownsTransaction) await db.commit();
  return rows;
}

function checkColumns<R extends object>(
  log: Log,
  sql: string,
  parameters: readonly unknown[],
  rows: readonly R[],
): (R & ReturnCodeRow)[] {
  const stranger = rows.find((row) => !hasReturnCode(row));
  if (stranger === undefined) return rows as (R & ReturnCodeRow)[];
  log.error("function does not return ret_code and ret_note");
  log.error(`sql: ${shortenQuery(quoteStatement(sql, parameters))}`);
  log.error(`its columns: ${Object.keys(stranger).join(", ")}`);
  throw new SkytoolsError("RETURN_CODE_MISSING", "function does not return ret_code and ret_note", {
    hint: "The SQL code of the module may be older than this program; upgrade it.",
    isLogged: true,
  });
}

function hasReturnCode(row: object): row is ReturnCodeRow {
  return "ret_code" in row && typeof row.ret_code === "number" && "ret_note" in row;
}

function logAndJudge(
  log: Log,
  sql: string,
  rows: readonly ReturnCodeRow[],
  options: ExecCommandOptions,
): void {
  const prefix = options.prefix === undefined ? "" : `[${options.prefix}] `;
  let failed: ReturnCodeRow | undefined;
  for (const row of rows) {
    const note = `${prefix}${row.ret_note ?? ""}`;
    const coded = `${row.ret_code} ${note}`;
    switch (Math.floor(row.ret_code / 100)) {
      case 1:
        log.debug(coded);
        break;
      case 2:
        if (options.quiet === true) log.debug(coded);
        else log.info(note);
        break;
      case 3:
        log.warn(note);
        break;
      default:
        log.error(note);
        log.debug(`failed query: ${shortenQuery(sql)}`);
        failed ??= row;
        break;
    }
  }
  if (failed !== undefined) {
    throw new ReturnCodeError(failed.ret_note ?? `error ${failed.ret_code}`, rows, failed.ret_code);
  }
}
