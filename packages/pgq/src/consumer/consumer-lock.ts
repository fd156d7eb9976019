import { createHash } from "node:crypto";
import type { Database } from "@skytools/skytools";

/** The number under which one consumer of one queue is locked, in whichever database. */
function consumerLockKey(queueName: string, consumerName: string): bigint {
  const digest = createHash("sha256")
    .update(JSON.stringify(["pgq consumer", queueName, consumerName]))
    .digest();
  return digest.readBigInt64BE(0);
}

/** A session lock on a consumer: of several processes under one name only one reads, and the next one takes over when it
 * ends. The server frees it with the session. */
export class ConsumerLock {
  readonly #key: bigint;
  #holder: Database | undefined;

  constructor(queueName: string, consumerName: string) {
    this.#key = consumerLockKey(queueName, consumerName);
  }

  /** Takes the lock for a session, without waiting; commits. @returns whether the session holds it */
  async take(db: Database): Promise<boolean> {
    if (this.#holder === db) return true;
    const isTaken =
      (await db.queryValue<boolean>("select pg_try_advisory_lock($1::int8)", [this.#key])) === true;
    await db.commit();
    if (isTaken) this.#holder = db;
    return isTaken;
  }
}

/** Serializes the transactions that apply batches of one consumer to a target: until the end of the open transaction.
 * What is read after it is what the other process has committed. */
export async function lockTarget(target: Database, consumerName: string): Promise<void> {
  await target.query("select pg_advisory_xact_lock($1::int8)", [consumerLockKey("", consumerName)]);
}
