import { durableCommits } from "@skytools/pgq/cascade";
import type { Database, Log } from "@skytools/skytools";
import { DatabaseError } from "@skytools/skytools";
import { setReplicationRole } from "./londiste-api.ts";

/** Settings that decide how values look in COPY, the same on both sides. Source: spec/londiste.md 17 item 6 */
export const formatSettings = `
  set datestyle = 'ISO';
  set intervalstyle = 'postgres';
  set extra_float_digits = 1;
  set bytea_output = 'hex';
  set lc_monetary = 'C';
  set array_nulls = on;
  set xmloption = 'content';
  set standard_conforming_strings = on;
  set client_encoding = 'UTF8'`;

const roomForSorting = `
  select set_config('work_mem', '64MB', false) where pg_size_bytes(current_setting('work_mem')) < 67108864`;

/** The server can only guess how many rows wait in a stage, and guesses high. With the default random_page_cost, meant for spinning
 * disks, it would scan a whole table for a few hundred rows that an index on their key finds. */
const rowsByKey =
  "select set_config('random_page_cost', '1.1', false) where current_setting('random_page_cost')::float8 > 1.1";

/** Against settings of roles and databases that would lose rows. A policy that hides rows becomes an error. Commits wait for the
 * disk: opening a batch is a commit on the provider, so all that the batch holds is safe there before it is applied, and it is
 * safe on the target before the provider hears that it is done. Timeouts that suit short statements and sessions are off. */
const safetySettings = `
  set row_security = off;
  set statement_timeout = 0;
  set lock_timeout = 0;
  set idle_in_transaction_session_timeout = 0;
  set idle_session_timeout = 0;
  select set_config('transaction_timeout', '0', false) where current_setting('transaction_timeout', true) <> '0';
  ${durableCommits}`;

/** A database in SQL_ASCII may hold bytes that are not valid text. They are read as they are, and refused or repaired where they are
 * written; in another client encoding the server would refuse to send them. */
const bytesAsTheyAre =
  "select set_config('client_encoding', 'SQL_ASCII', false) where current_setting('server_encoding') = 'SQL_ASCII'";

/** Prepares a session that reads from a provider. */
export async function openSourceSession(source: Database): Promise<void> {
  await source.execute(`${formatSettings}; ${safetySettings}; ${roomForSorting}; ${bytesAsTheyAre}`);
  await source.commit();
}

/** Prepares a session that applies changes: replication role, formats, and room for sorting a batch. */
export async function openTargetSession(target: Database, log: Log): Promise<void> {
  await enterReplicaRole(target, log);
  await openApplySession(target);
}

/** The same without the role: triggers and foreign keys act, and events of tables that have some go row by row. */
export async function openApplySession(target: Database): Promise<void> {
  await target.execute(`${formatSettings}; ${safetySettings};
  set jit = off;
  set temp_buffers = '32MB';
  ${rowsByKey};
  ${roomForSorting}`);
  await target.commit();
}

const replicaRoleHint =
  "Let a superuser grant it to the owner of schema londiste (grant set on parameter session_replication_role to OWNER), " +
  "before PostgreSQL 15 own the function londiste.set_session_replication_role.";

/** In role replica neither foreign keys nor ordinary triggers act, and tables that deny local changes take ours.
 * A role that must not set it goes on without: then triggers fire, and events go row by row where there are any. */
async function enterReplicaRole(target: Database, log: Log): Promise<void> {
  try {
    await setReplicationRole(target, "replica", false);
    await target.commit();
  } catch (error) {
    if (!isForbidden(error)) throw error;
    await target.rollback();
    const { message, hint } = withoutReplicaRole(target);
    log.warn(message, { hint });
  }
}

/** Whether sessions of this database's user can replicate as they should. Leaves the transaction as it is. */
export async function canEnterReplicaRole(db: Database): Promise<boolean> {
  await db.execute("savepoint londiste_role");
  try {
    await setReplicationRole(db, "replica", true);
    return true;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return false;
  } finally {
    if (!db.isBroken)
      await db.execute("rollback to savepoint londiste_role; release savepoint londiste_role");
  }
}

/** What it means when they cannot, and what to do about it. */
export function withoutReplicaRole(db: Database): { readonly message: string; readonly hint: string } {
  return {
    message: `cannot set session_replication_role on ${db.label}: triggers and foreign keys of replicated tables act on replay, and tables that refuse local changes refuse ours`,
    hint: replicaRoleHint,
  };
}

function isForbidden(error: unknown): boolean {
  return error instanceof DatabaseError && error.sqlState === "42501";
}
