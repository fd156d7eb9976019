import { type Database, DatabaseError } from "@skytools/skytools";

/** Below the usual deadlock_timeout, and replay waits meanwhile. */
const lockTimeout = "100ms";
/** SQLSTATEs lock_not_available and deadlock_detected */
const isInUse = new Set(["55P03", "40P01"]);

/** What has become of partitions that are older than their retention period. */
export interface ObsoletePartitions {
  readonly dropped: readonly string[];
  /** others have them locked */
  readonly inUse: readonly string[];
}

/** Drops the partitions of a table that are older than a period, in the open transaction, but for those that somebody uses. Who makes a
 * partition in a batch keeps all others that want one waiting until that batch is through: one of them may have late rows in the very
 * partition that is to go.
 * @param parent plain name
 * @param period of a partition
 * @throws DatabaseError also when something depends on a partition */
export async function dropObsoletePartitions(
  target: Database,
  parent: string,
  retentionPeriod: string,
  period: string,
): Promise<ObsoletePartitions> {
  const sql = "select p.name from londiste.list_obsolete_partitions($1, $2::interval, $3) as p(name)";
  const obsolete = await target.query<{ name: string }>(sql, [parent, retentionPeriod, period]);
  if (obsolete.length === 0) return { dropped: [], inUse: [] };
  const dropped: string[] = [];
  const inUse: string[] = [];
  for (const { name } of obsolete) ((await dropUnused(target, name)) ? dropped : inUse).push(name);
  return { dropped, inUse };
}

/** @param name as SQL */
async function dropUnused(target: Database, name: string): Promise<boolean> {
  const usual = await target.queryValue<string>("select current_setting('lock_timeout')");
  await target.execute(`savepoint londiste_obsolete; set local lock_timeout = '${lockTimeout}'`);
  try {
    await target.execute(`drop table ${name}`);
    await target.query("select set_config('lock_timeout', $1, true)", [usual]);
    await target.execute("release savepoint londiste_obsolete");
    return true;
  } catch (error) {
    if (target.isBroken || !(error instanceof DatabaseError) || !isInUse.has(error.sqlState ?? ""))
      throw error;
    await target.execute("rollback to savepoint londiste_obsolete; release savepoint londiste_obsolete");
    return false;
  }
}
