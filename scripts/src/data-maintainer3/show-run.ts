import { DatabaseError, type Job, printJson } from "@skytools/skytools";
import { openKeyList } from "./key-list.ts";
import type { Statement } from "./statement.ts";
import type { MaintenanceStatements } from "./statements.ts";
import { type KeyRow, typedRows } from "./typed-value.ts";

const shownRows = 10;

interface Step {
  readonly key: string;
  readonly sql: string;
}

/** Prints what a run would do for its first rows. The list is read; sql_before_run is run too, where it only reads, since its
 * columns may be parameters. */
export async function showRun(job: Job, { before, modify, after }: MaintenanceStatements): Promise<void> {
  const common: KeyRow = before === undefined ? new Map() : await readBefore(job, before);
  const steps: Step[] = [];
  if (before !== undefined) steps.push(stepOf(before, new Map()));
  let last: KeyRow = common;
  {
    await using list = await openKeyList(job, { rowCount: 0, last: {} }, common);
    for (const row of await list.next(shownRows)) {
      last = new Map([...common, ...row]);
      steps.push(stepOf(modify, last));
    }
  }
  if (after !== undefined) steps.push(stepOf(after, last));
  if (job.json) printJson(job.stdout, steps);
  else job.stdout.write(steps.map(({ key, sql }) => `${key}: ${sql}\n`).join(""));
}

function stepOf(statement: Statement, parameters: KeyRow): Step {
  return { key: statement.key, sql: statement.shownWith(parameters) };
}

async function readBefore(job: Job, before: Statement): Promise<KeyRow> {
  const db = await job.databases.get(before.databaseKey, { autocommit: true });
  await db.execute("begin read only");
  try {
    return typedRows(await before.run(db, new Map()))[0] ?? new Map();
  } catch (error) {
    const isReadOnly = error instanceof DatabaseError && error.sqlState === "25006";
    if (!isReadOnly) throw error;
    job.log.info("sql_before_run changes something: not run, its parameters have no values here");
    return new Map();
  } finally {
    await db.rollback();
  }
}
