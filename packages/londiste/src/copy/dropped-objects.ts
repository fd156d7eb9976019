import type { Database, Log, TableObject, TableStructure } from "@skytools/skytools";
import { DatabaseError, droppableObjects, splitStatements } from "@skytools/skytools";

const dependentObjectsStillExist = "2BP01";

/** Drops what would slow a copy down: indexes and constraints. What something else depends on stays. Within the open transaction.
 * @param stored statements of an earlier attempt that was committed and not brought to its end
 * @param dropsAll otherwise only what stands in the way of the stored statements: what that attempt had built already
 * @returns the statements that bring all of it back, those of the earlier attempt too */
export async function dropObjects(
  target: Database,
  log: Log,
  table: TableStructure,
  stored: readonly string[],
  dropsAll: boolean,
): Promise<readonly string[]> {
  if (table.kind !== "table") return stored;
  const isKnown = (item: TableObject) => item.create.every((statement) => stored.includes(statement));
  const dropped: TableObject[] = [];
  const candidates = droppableObjects(table).filter(
    (item) => isWorthDropping(table, item) && (dropsAll || isKnown(item)),
  );
  for (const item of candidates.toReversed()) {
    try {
      await target.execute(
        `savepoint londiste_drop; ${item.drop.join("; ")}; release savepoint londiste_drop`,
      );
      log.info(`Dropping ${item.name}`);
      dropped.unshift(item);
    } catch (error) {
      const isNeeded = error instanceof DatabaseError && error.sqlState === dependentObjectsStillExist;
      if (!isNeeded || target.isBroken) throw error;
      await target.execute("rollback to savepoint londiste_drop; release savepoint londiste_drop");
      log.info(`keeping ${item.kind} ${item.name}: other objects depend on it`);
    }
  }
  return [...stored, ...dropped.filter((item) => !isKnown(item)).flatMap((item) => item.create)];
}

/** The statements of londiste.table_info.dropped_ddl. */
export function storedStatements(script: string | null): string[] {
  return splitStatements(script ?? "").map((statement) => statement.replace(/\s*;$/, ""));
}

/** As a script, for londiste.table_info.dropped_ddl. */
export function ddlScript(statements: readonly string[]): string {
  return statements.map((statement) => `${statement};\n`).join("");
}

/** Rules and inheritance do not act on COPY; a check that holds for all rows costs less beside the copy than after it. */
function isWorthDropping(table: TableStructure, item: TableObject): boolean {
  if (item.kind === "index") return true;
  if (item.kind !== "constraint") return false;
  const constraint = table.constraints.find((entry) => entry.name === item.name);
  return constraint?.kind !== "check" || constraint.definition.endsWith("NOT VALID");
}

/** Runs the statements of dropObjects(), each with the server's parallel workers where it has some to spare. */
export async function restoreObjects(
  target: Database,
  log: Log,
  table: string,
  statements: readonly string[],
): Promise<void> {
  if (statements.length === 0) return;
  log.info(`${table}: restoring DDL`);
  await target.execute("set local maintenance_work_mem = '256MB'");
  for (const statement of statements) {
    log.info(`Creating ${statement}`);
    await target.execute(statement);
  }
}
