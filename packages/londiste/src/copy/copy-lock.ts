import type { Database } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";

/* A copy process holds an advisory lock in the session that it writes with. So there is one copy for a table at most, whoever
 * started it; a worker sees a copy that a former worker left behind; and the lock is gone exactly when the session is, together
 * with whatever was not committed. */

const keySql = "hashtextextended('londiste copy ' || $1 || ' ' || $2, 0)";

/** @throws SkytoolsError COPY_RUNNING when another session has the lock */
export async function takeCopyLock(target: Database, queueName: string, table: string): Promise<void> {
  const row = await target.queryOne<{ is_taken: boolean }>(
    `select pg_try_advisory_lock(${keySql}) as is_taken`,
    [queueName, table],
  );
  await target.commit();
  if (row.is_taken) return;
  throw new SkytoolsError("COPY_RUNNING", `another copy of table "${table}" is running (${target.label})`, {
    retry: "later",
    hint: "It goes on by itself; to start it again, end that process first.",
  });
}

/** For a session that goes on with another table. */
export async function releaseCopyLock(target: Database, queueName: string, table: string): Promise<void> {
  await target.query(`select pg_advisory_unlock(${keySql})`, [queueName, table]);
  await target.commit();
}

/** The tables for which a copy process is at work, wherever it runs. */
export async function tablesInCopy(
  target: Database,
  queueName: string,
  tables: readonly string[],
): Promise<Set<string>> {
  if (tables.length === 0) return new Set();
  const rows = await target.query<{ name: string }>(
    `select t.name from unnest($2::text[]) as t(name)
      where exists (select from pg_catalog.pg_locks l
                     where l.locktype = 'advisory' and l.granted and l.objsubid = 1
                       and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
                       and (l.classid::int8 << 32 | l.objid::int8)
                           = hashtextextended('londiste copy ' || $1 || ' ' || t.name, 0))`,
    [queueName, [...tables]],
  );
  return new Set(rows.map((row) => row.name));
}

/** Tables whose rows another session is loading, or whose indexes it is building: it has locks on them that stand in the way of
 * DDL. */
export async function tablesBeingLoaded(target: Database, queueName: string): Promise<readonly string[]> {
  const rows = await target.query<{ name: string }>(
    `select t.table_name as name
       from londiste.table_info t
      where t.queue_name = $1 and t.local and t.merge_state = 'in-copy'
        and exists (select from pg_catalog.pg_locks l
                     where l.locktype = 'relation' and l.granted and l.pid <> pg_catalog.pg_backend_pid()
                       and l.mode in ('RowExclusiveLock', 'ShareLock', 'AccessExclusiveLock')
                       and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
                       and l.relation = londiste.find_table_oid(coalesce(t.dest_table, t.table_name)))
      order by t.nr`,
    [queueName],
  );
  return rows.map((row) => row.name);
}
