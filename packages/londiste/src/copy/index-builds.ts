import type { Database, Log } from "@skytools/skytools";
import { crashPoint, SkytoolsError } from "@skytools/skytools";
import { tableFile } from "./copy-streams.ts";

/** Memory for sorting, of all builds together. */
const buildMemoryMb = 256;
const smallestMemoryMb = 64;

export interface IndexBuilds {
  readonly log: Log;
  /** set-wide name, for messages */
  readonly table: string;
  /** as SQL; filled and committed */
  readonly targetTable: string;
  /** of the filled table, see tableFile() */
  readonly targetFile: string;
  /** that many indexes are built at once; no transaction open */
  readonly sessions: readonly Database[];
  /** that bring back what was dropped, in their order */
  readonly statements: readonly string[];
}

/** Builds the indexes of a table that nobody else changes, several at once, each committed by itself: for a table whose state and
 * stored statements say that it is not whole. A later attempt finds what was built as indexes that it knows how to bring back.
 * @returns the statements that are left to run, in their order
 * @throws DatabaseError, SkytoolsError of the build that failed first, when all have ended */
export async function buildIndexes(builds: IndexBuilds): Promise<readonly string[]> {
  const { units, rest } = indexUnits(builds.statements);
  const failures: unknown[] = [];
  const work = async (session: Database): Promise<void> => {
    try {
      for (let unit = units.shift(); unit !== undefined; unit = units.shift()) {
        await build(builds, session, unit);
      }
    } catch (error) {
      failures.push(error);
      units.length = 0;
      if (!session.isBroken) await session.rollback();
    }
  };
  await Promise.all(builds.sessions.map((session) => work(session)));
  if (failures.length > 0) throw failures[0];
  return rest;
}

/** Behind a lock that keeps a later attempt from emptying the table, and does not keep other builds away. */
async function build(builds: IndexBuilds, session: Database, unit: readonly string[]): Promise<void> {
  const { log, table, targetTable, targetFile, sessions } = builds;
  await session.execute(`lock table only ${targetTable} in share mode`);
  if ((await tableFile(session, targetTable)) !== targetFile) {
    throw new SkytoolsError("COPY", `${targetTable} was emptied by somebody else (${session.label})`, {
      retry: "later",
    });
  }
  const memoryMb = Math.max(smallestMemoryMb, Math.floor(buildMemoryMb / sessions.length));
  await session.execute(`set local maintenance_work_mem = '${memoryMb}MB'`);
  for (const statement of unit) {
    log.info(`${table}: creating ${statement}`);
    await session.execute(statement);
  }
  await session.commit();
  crashPoint("copy.after-index-commit");
}

/** Each index with the statements around it that say in which tablespace; and what is left. */
function indexUnits(statements: readonly string[]): { units: string[][]; rest: string[] } {
  const units: string[][] = [];
  const rest: string[] = [];
  for (let at = 0; at < statements.length; at += 1) {
    const [statement = "", index = "", end = ""] = statements.slice(at, at + 3);
    if (isIndex(statement)) units.push([statement]);
    else if (/^set local default_tablespace = /i.test(statement) && isIndex(index)) {
      units.push([statement, index, end]);
      at += 2;
    } else rest.push(statement);
  }
  return { units, rest };
}

function isIndex(statement: string): boolean {
  return /^create (?:unique )?index /i.test(statement);
}
