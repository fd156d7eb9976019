import type { Database, Log } from "@skytools/skytools";
import { moveTable } from "./move-table.ts";

/** Forgets that tables were copied: their worker copies them again. Within the open transaction, which the caller commits. */
export async function copyAnew(
  db: Database,
  log: Log,
  tables: readonly { readonly queueName: string; readonly name: string }[],
): Promise<void> {
  for (const { queueName, name } of tables) {
    await moveTable(db, log, { queueName, table: name, event: "resync" });
  }
}
