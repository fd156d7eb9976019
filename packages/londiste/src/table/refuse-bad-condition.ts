import { type Database, DatabaseError, quoteFqIdent, UsageError } from "@skytools/skytools";
import type { TableHandler } from "../handler/handler.ts";
import { tableExists } from "../londiste-api.ts";

/** Lets the server look at a handler's row condition before anything is registered: one that it cannot evaluate would stop
 * the replay of all tables of the node at the first event. It is planned only, no row is read. Rolls back on failure.
 * @param destination the local table, `schema.table`, plain; nothing is looked at while it does not exist
 * @throws UsageError with what the server says */
export async function refuseBadCondition(
  local: Database,
  { rows }: TableHandler,
  destination: string,
): Promise<void> {
  const condition = rows?.condition;
  if (condition === undefined || !(await tableExists(local, destination))) return;
  try {
    await local.query(
      `select from ${quoteFqIdent(destination)} as row_of_event where (${condition}) limit 0`,
    );
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await local.rollback();
    throw new UsageError(`condition of ${destination}: ${error.message}`, {
      cause: error,
      hint: `It is SQL over the table's columns, given as where: ${condition}`,
    });
  }
}
