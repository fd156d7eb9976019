import { randomBytes } from "node:crypto";
import type { Database } from "@skytools/skytools";

/** Whether two sessions are in one database, however they were reached: a lock that one holds is taken for the other. Ends
 * both transactions. */
export async function isSameDatabase(one: Database, other: Database): Promise<boolean> {
  const key = randomBytes(8).readBigInt64BE();
  try {
    await one.query("select pg_advisory_xact_lock($1::int8)", [key]);
    return (await other.queryValue<boolean>("select pg_try_advisory_xact_lock($1::int8)", [key])) === false;
  } finally {
    await one.rollback();
    await other.rollback();
  }
}
