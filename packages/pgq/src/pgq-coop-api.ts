import type { Database } from "@skytools/skytools";
import type { BatchCollection } from "./batch.ts";

/* The only file that spells pgq_coop.* calls. None of these functions commits.
 * Source: spec/pgq-library.md A9, spec/sql-pgq.md */

/** A member of a shared consumer. */
export interface CoopMember {
  readonly queueName: string;
  readonly consumerName: string;
  readonly subconsumerName: string;
}

export interface CoopCollection extends BatchCollection {
  /** take over from members that were silent for this long, PostgreSQL interval text */
  readonly deadInterval?: string | undefined;
}

/** Opens the next batch of the shared consumer for a member, or returns the one it has open. Registers both when they are not.
 * @returns undefined when there is none */
export async function nextCoopBatch(
  db: Database,
  { queueName, consumerName, subconsumerName }: CoopMember,
  { minLag, minCount, minInterval, deadInterval }: CoopCollection,
): Promise<bigint | undefined> {
  const isCollecting = minLag !== undefined || minCount !== undefined || minInterval !== undefined;
  const member = [queueName, consumerName, subconsumerName];
  const batchId = isCollecting
    ? await db.queryValue<bigint | null>(
        "select pgq_coop.next_batch_custom($1, $2, $3, $4::interval, $5::int4, $6::interval, $7::interval)",
        [...member, minLag ?? null, minCount ?? null, minInterval ?? null, deadInterval ?? null],
      )
    : deadInterval === undefined
      ? await db.queryValue<bigint | null>("select pgq_coop.next_batch($1, $2, $3)", member)
      : await db.queryValue<bigint | null>("select pgq_coop.next_batch($1, $2, $3, $4::interval)", [
          ...member,
          deadInterval,
        ]);
  return batchId ?? undefined;
}

/** @returns false when the batch is not open any more: another member may have taken it over */
export async function finishCoopBatch(db: Database, batchId: bigint): Promise<boolean> {
  return (await db.queryValue<number>("select pgq_coop.finish_batch($1::int8)", [batchId])) === 1;
}

/** @returns false when the member was registered already */
export async function registerSubconsumer(db: Database, member: CoopMember): Promise<boolean> {
  const sql = "select pgq_coop.register_subconsumer($1, $2, $3)";
  return (
    (await db.queryValue<number>(sql, [member.queueName, member.consumerName, member.subconsumerName])) === 1
  );
}

/** Takes a member out; the shared consumer stays.
 * @param isAbandoning an open batch is given up, nobody gets its events again
 * @returns number of subscriptions removed
 * @throws DatabaseError when the member has a batch open that is not given up */
export async function unregisterSubconsumer(
  db: Database,
  { queueName, consumerName, subconsumerName }: CoopMember,
  isAbandoning = false,
): Promise<number> {
  const sql = "select pgq_coop.unregister_subconsumer($1, $2, $3, $4)";
  return (
    (await db.queryValue<number>(sql, [queueName, consumerName, subconsumerName, isAbandoning ? 1 : 0])) ?? 0
  );
}
