import { setTimeout as sleep } from "node:timers/promises";
import { type Database, DatabaseError, type Log, SkytoolsError } from "@skytools/skytools";
import { executeFinish, executeStart, setReplicationRole } from "../londiste-api.ts";
import { canEnterReplicaRole, withoutReplicaRole } from "../replication-session.ts";
import { formatScriptAttributes, type ScriptAttributes } from "./script-attributes.ts";
import { decideScript, substituteNames } from "./script-decision.ts";
import { restoreSettings, sessionSettings } from "./session-settings.ts";
import { type ScriptStatement, splitScript } from "./split-script.ts";

/** A script of the EXECUTE command. */
export interface Script {
  /** base name of the file: what says that a script was executed already */
  readonly name: string;
  /** as in the file */
  readonly sql: string;
  readonly attributes: ScriptAttributes;
}

export type ScriptOutcome = "executed" | "not needed" | "already applied";

export interface RunScriptInput {
  readonly db: Database;
  readonly log: Log;
  readonly queueName: string;
  readonly script: Script;
  /** the EXECUTE command runs on the root, its event elsewhere */
  readonly isRoot: boolean;
  /** how long a statement waits for locks; 0: no limit */
  readonly lockTimeoutSeconds: number;
  /** Asked when a statement has not got its lock in that time: true makes it try again. Left out: it fails. */
  readonly isWorthWaiting?: () => Promise<boolean>;
}

/** Runs a script and remembers that it was run, within the open transaction: both or neither. On a root the event for the other
 * nodes is part of it. The triggers of the queue are silent meanwhile, those of the application are not.
 * @throws SkytoolsError SCRIPT naming file and line
 * Source: spec/londiste.md 11; spec/sql-node-londiste.md 7.5 */
export async function runScript(input: RunScriptInput): Promise<ScriptOutcome> {
  const { db, log, queueName, script } = input;
  const isNew = await executeStart(db, log, queueName, {
    name: script.name,
    sql: script.sql,
    isRoot: input.isRoot,
    attributes: formatScriptAttributes(script.attributes),
  });
  if (!isNew) {
    log.warn(`Skipping execution of '${script.name}'`);
    return "already applied";
  }
  try {
    const decision = await decideScript(db, queueName, script.attributes);
    if (decision.isNeeded) {
      log.info(`${script.name}: executing sql`);
      await runStatements(input, scriptStatements(substituteNames(script.sql, decision.substitutes)));
    } else {
      log.info(`${script.name}: This SQL does not need to run on this node.`);
    }
    await executeFinish(db, log, queueName, script.name);
    return decision.isNeeded ? "executed" : "not needed";
  } catch (error) {
    throw scriptError(script.name, error);
  }
}

/** The statements of a script, none of which may end or begin a transaction, or needs a client of its own.
 * @throws SkytoolsError SCRIPT */
export function scriptStatements(sql: string): ScriptStatement[] {
  const statements = splitScript(sql);
  for (const { text, line } of statements) {
    const reason = refusal(text);
    if (reason !== undefined) throw new SkytoolsError("SCRIPT", `line ${line}: ${reason}`);
  }
  return statements;
}

function refusal(statement: string): string | undefined {
  if (statement.startsWith("\\")) return "commands of psql do not work here";
  const words = statement.toLowerCase().replace(/\s+/g, " ");
  if (/^(?:begin|start transaction|commit|end|abort|prepare transaction)\b/.test(words)) {
    return "a script is part of one transaction and cannot begin or end it";
  }
  if (/^rollback\b(?! (?:(?:work|transaction) )?to\b)/.test(words)) {
    return "a script is part of one transaction and cannot begin or end it";
  }
  if (/^copy\b.*\bfrom (?:stdin)\b/.test(words)) return "COPY FROM STDIN does not work here";
  return undefined;
}

async function runStatements(input: RunScriptInput, statements: readonly ScriptStatement[]): Promise<void> {
  const { db } = input;
  const role = await db.queryValue<string>("select current_setting('session_replication_role')");
  // A worker that may not set the role has said so when it connected, and goes on without.
  const isSwitching = input.isRoot ? await canEnterReplicaRole(db) : role === "replica";
  const isCaptured = input.isRoot && !isSwitching;
  const eventsBefore = isCaptured ? await ownEvents(db, input.queueName) : undefined;
  if (isSwitching) await setReplicationRole(db, "local", true);
  const settings = await sessionSettings(db);
  const lockTimeout = await db.queryValue<string>("select current_setting('lock_timeout')");
  await setLockTimeout(db, String(Math.round(input.lockTimeoutSeconds * 1000)));
  // Ours would go with theirs: releasing or rolling back to a savepoint ends those that came after it.
  const isWorthWaiting = statements.some(isAboutSavepoint) ? undefined : input.isWorthWaiting;
  for (const statement of statements) await runStatement(db, statement, isWorthWaiting);
  if (isCaptured && (await ownEvents(db, input.queueName)) !== eventsBefore) {
    throw new SkytoolsError(
      "SCRIPT",
      "changes rows of replicated tables, which other nodes would change twice",
      {
        hint: `Change rows outside of the script. ${withoutReplicaRole(db).hint}`,
      },
    );
  }
  await setLockTimeout(db, lockTimeout ?? "0");
  await restoreSettings(db, settings);
  if (isSwitching) await setReplicationRole(db, role === "replica" ? "replica" : "origin", true);
}

/** SQLSTATE */
const lockNotAvailable = "55P03";

/** A statement with NOWAIT comes back at once. */
const shortestTryMs = 500;

function isAboutSavepoint({ text }: ScriptStatement): boolean {
  return /^(?:savepoint|release|rollback)\b/i.test(text);
}

async function runStatement(
  db: Database,
  { text, line }: ScriptStatement,
  isWorthWaiting: RunScriptInput["isWorthWaiting"],
): Promise<void> {
  for (;;) {
    const begin = performance.now();
    try {
      if (isWorthWaiting !== undefined) await db.execute("savepoint londiste_script");
      await db.execute(text);
      if (isWorthWaiting !== undefined) await db.execute("release savepoint londiste_script");
      return;
    } catch (error) {
      const isLocked = error instanceof DatabaseError && error.sqlState === lockNotAvailable && !db.isBroken;
      if (!isLocked || isWorthWaiting === undefined) throw atLine(line, error);
      await db.execute("rollback to savepoint londiste_script; release savepoint londiste_script");
      if (!(await isWorthWaiting())) throw atLine(line, error);
      await sleep(shortestTryMs - (performance.now() - begin));
    }
  }
}

/** How many events the open transaction has put into the queue. */
async function ownEvents(db: Database, queueName: string): Promise<bigint | undefined> {
  const table = await db.queryValue<string>(
    "select pgq.quote_fqname(queue_data_pfx) from pgq.queue where queue_name = $1",
    [queueName],
  );
  return db.queryValue<bigint>(`select count(*) from ${table} where ev_txid = pg_catalog.txid_current()`);
}

async function setLockTimeout(db: Database, value: string): Promise<void> {
  await db.query("select set_config('lock_timeout', $1, true)", [value]);
}

function atLine(line: number, error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  return new DatabaseError(`line ${line}: ${error.message}`, {
    cause: error,
    retry: error.retry,
    sqlState: error.sqlState,
    database: error.database,
  });
}

/** Puts the name of the script in front. */
export function scriptError(name: string, error: unknown): unknown {
  if (error instanceof DatabaseError) {
    return new DatabaseError(`${name}: ${error.message}`, {
      cause: error,
      retry: error.retry === "no" ? "later" : error.retry,
      sqlState: error.sqlState,
      database: error.database,
    });
  }
  if (!(error instanceof SkytoolsError)) return error;
  return new SkytoolsError(error.code, `${name}: ${error.message}`, {
    cause: error,
    retry: "later",
    hint: error.hint,
  });
}
