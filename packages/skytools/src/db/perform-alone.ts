import { DatabaseError } from "../errors.ts";
import { crashPoint, isCrashPointSet } from "../script/crash-point.ts";
import type { Session } from "./session.ts";

/** Functions whose effect is there at once. */
const immediate =
  /\bpg_(?:reload_conf|rotate_logfile|switch_wal|create_restore_point|logical_emit_message|wal_replay_pause|wal_replay_resume|promote|terminate_backend|cancel_backend|drop_replication_slot|create_physical_replication_slot)\s*\(/i;
const transactionControl = /^\s*(?:begin|start|commit|end|rollback|abort)\b/i;
/** Not within a transaction, and not within a procedure's caller. Source: PostgreSQL manual, appendix "Error Codes" */
const refusals = ["25001", "2D000"];

/** Performs a statement that is a transaction of its own. For a test that lets the process die after those that have changed
 * something, which only the transaction itself can tell, it gets one around it. */
export async function performAlone<T>(session: Session, sql: string, perform: () => Promise<T>): Promise<T> {
  if (!isCrashPointSet("database.after-statement") || transactionControl.test(sql)) return await perform();
  await session.send("begin");
  let outcome: T;
  let hasChanged = immediate.test(sql);
  try {
    outcome = await perform();
    const [row] = await session.send<{ is_written: boolean }>(
      "select pg_catalog.pg_current_xact_id_if_assigned() is not null as is_written",
    );
    hasChanged ||= row?.is_written === true;
    await session.send("commit");
  } catch (error) {
    await session.send("rollback").catch(() => undefined);
    if (!(error instanceof DatabaseError && refusals.includes(error.sqlState ?? ""))) throw error;
    outcome = await perform();
    hasChanged = true;
  }
  if (hasChanged) crashPoint("database.after-statement");
  return outcome;
}
