import { type Database, type Log, SkytoolsError } from "@skytools/skytools";

/* The functions londiste.execute_*: what makes a script run once. None of them commits. Source: spec/sql-node-londiste.md 7.5 */

interface ReturnRow {
  ret_code: number;
  ret_note: string;
}

/** @returns false when a script of that name was executed already
 * @throws SkytoolsError LONDISTE when the node is no root and has to be */
export async function executeStart(
  db: Database,
  log: Log,
  queueName: string,
  script: {
    readonly name: string;
    readonly sql: string;
    readonly attributes: string | null;
    readonly isRoot: boolean;
  },
): Promise<boolean> {
  const row = await db.queryOne<ReturnRow>("select * from londiste.execute_start($1, $2, $3, $4, $5)", [
    queueName,
    script.name,
    script.sql,
    script.isRoot,
    script.attributes,
  ]);
  if (row.ret_code >= 300) throw new SkytoolsError("LONDISTE", `${row.ret_note} (${db.label})`);
  log.info(row.ret_note);
  return row.ret_code === 200;
}

/** On a root, tells the other nodes. */
export async function executeFinish(db: Database, log: Log, queueName: string, name: string): Promise<void> {
  const sql = "select * from londiste.execute_finish($1, $2)";
  const row = await db.queryOne<ReturnRow>(sql, [queueName, name]);
  if (row.ret_code >= 300) throw new SkytoolsError("LONDISTE", `${row.ret_note} (${db.label})`);
  log.debug(row.ret_note);
}

/** True when a script of that name was executed in this database, through whatever queue. */
export async function isExecuted(db: Database, name: string): Promise<boolean> {
  const sql = "select exists (select from londiste.applied_execute where execute_file = $1) as found";
  return (await db.queryOne<{ found: boolean }>(sql, [name])).found;
}
