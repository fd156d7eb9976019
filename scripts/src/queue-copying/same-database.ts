import { randomBytes } from "node:crypto";
import type { Database } from "@skytools/skytools";

/** Whether two sessions are in one database, however they were reached: a lock that one holds is taken for the other. Leaves open
 * transactions as they are. */
export async function isSameDatabase(one: Database, other: Database): Promise<boolean> {
  const key = [randomBytes(8).readBigInt64BE()];
  await one.query("select pg_advisory_lock($1::int8)", key);
  try {
    if ((await other.queryValue<boolean>("select pg_try_advisory_lock($1::int8)", key)) === false)
      return true;
    await other.query("select pg_advisory_unlock($1::int8)", key);
    return false;
  } finally {
    await one.query("select pg_advisory_unlock($1::int8)", key);
  }
}
