import type { Database, Log } from "@skytools/skytools";
import { DatabaseError } from "@skytools/skytools";
import {
  dropTableForeignKey,
  findTableForeignKeys,
  getValidPendingForeignKeys,
  restoreTableForeignKey,
} from "../londiste-api.ts";

/** Drops the foreign keys from and to a table, each in a transaction of its own; their definitions are kept.
 * Source: spec/londiste.md 8.6 */
export async function dropForeignKeys(target: Database, log: Log, destination: string): Promise<void> {
  const keys = await findTableForeignKeys(target, destination);
  await target.commit();
  for (const key of keys) {
    log.info(`Dropping fkey: ${key.name}`);
    await dropTableForeignKey(target, key);
    await target.commit();
  }
}

/** Brings back the foreign keys whose tables are all replicated again: first not validated, then validated, each step in a
 * transaction of its own, so that long locks are short. A key that the data violates stays pending; it does not stop replay.
 * @returns true when none of them failed */
export async function restoreForeignKeys(target: Database, log: Log, queueName: string): Promise<boolean> {
  const keys = await getValidPendingForeignKeys(target, queueName);
  await target.commit();
  let isComplete = true;
  for (const key of keys) {
    log.info(`Creating fkey: ${key.name} (${key.fromTable} --> ${key.toTable})`);
    try {
      for (;;) {
        const statement = await restoreTableForeignKey(target, key);
        if (statement !== "") await target.execute(statement);
        await target.commit();
        if (statement === "") break;
      }
    } catch (error) {
      if (!(error instanceof DatabaseError) || target.isBroken) throw error;
      await target.rollback();
      isComplete = false;
      log.error(`fkey ${key.name} of ${key.fromTable} stays pending: ${error.message}`);
    }
  }
  return isComplete;
}
