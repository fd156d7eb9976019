import type { Database, Log } from "@skytools/skytools";
import { DatabaseError } from "@skytools/skytools";
import { createEventStage } from "./apply/event-stage.ts";
import { setReplicationRole } from "./londiste-api.ts";

/** Settings that decide how values look in COPY, the same on both sides. Source: spec/londiste.md 17 item 6 */
export const formatSettings = `
  set datestyle = 'ISO';
  set intervalstyle = 'postgres';
  set extra_float_digits = 1;
  set bytea_output = 'hex';
  set lc_monetary = 'C';
  set standard_conforming_strings = on;
  set client_encoding = 'UTF8'`;

/** Prepares a session that reads from a provider. */
export async function openSourceSession(source: Database): Promise<void> {
  await source.execute(formatSettings);
  await source.commit();
}

/** Prepares a session that applies changes: replication role, formats, room for sorting a batch, and the stage for events. */
export async function openTargetSession(target: Database, log: Log): Promise<void> {
  await enterReplicaRole(target, log);
  await target.execute(`${formatSettings};
  set jit = off;
  set statement_timeout = 0;
  select set_config('work_mem', '64MB', false) where pg_size_bytes(current_setting('work_mem')) < 67108864`);
  await target.commit();
  await createEventStage(target);
}

/** In role replica neither foreign keys nor ordinary triggers act, and tables that deny local changes take ours.
 * A role that must not set it goes on without: then triggers fire, and events go row by row where there are any. */
async function enterReplicaRole(target: Database, log: Log): Promise<void> {
  try {
    await setReplicationRole(target, "replica", false);
    await target.commit();
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlState !== "42501") throw error;
    await target.rollback();
    log.warn(
      `cannot set session_replication_role on ${target.label}: triggers and foreign keys of replicated tables act on replay`,
    );
  }
}
