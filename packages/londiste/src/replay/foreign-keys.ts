import { type Database, DatabaseError, type Job, type Log } from "@skytools/skytools";
import {
  dropTableForeignKey,
  type ForeignKey,
  findTableForeignKeys,
  getValidPendingForeignKeys,
  hasPendingForeignKeys,
  restoreTableForeignKey,
} from "../londiste-api.ts";

const periodMs = 10_000;
const lockedPeriodMs = 1000;
const failedPeriodMs = 60_000;
/** Replay's own locks queue up behind one that is waited for. */
const lockTimeout = "150ms";
/** SQLSTATEs lock_not_available and deadlock_detected */
const isInUse = new Set(["55P03", "40P01"]);

/** Drops the foreign keys from and to a table, each in a transaction of its own; their definitions are kept. Replay waits
 * meanwhile, so this waits for locks for a moment only.
 * @param lockTimeoutMs of that moment
 * @returns name of the key whose tables are in use; undefined when all are gone
 * Source: spec/londiste.md 8.6 */
export async function dropForeignKeys(
  target: Database,
  log: Log,
  destination: string,
  lockTimeoutMs: number,
): Promise<string | undefined> {
  const keys = await findTableForeignKeys(target, destination);
  await target.commit();
  for (const key of keys) {
    try {
      await target.execute(`set local lock_timeout = ${lockTimeoutMs}`);
      await dropTableForeignKey(target, key);
      await target.commit();
    } catch (error) {
      if (!(error instanceof DatabaseError) || target.isBroken || !isInUse.has(error.sqlState ?? ""))
        throw error;
      await target.rollback();
      return key.name;
    }
    log.info(`Dropping fkey: ${key.name}`);
  }
  return undefined;
}

/** Brings foreign keys back when their tables are all replicated again: in a session of its own, beside replay, because looking
 * at all rows of a large table takes its time. A key that the data violates stays pending; it stops neither replay nor other keys. */
export class ForeignKeyRestorer {
  readonly #job: Job;
  readonly #queueName: string;
  #dueAt = 0;
  /** when to try again what has failed, by table and name of the key */
  readonly #notBefore = new Map<string, number>();
  #running: Promise<void> | undefined;

  constructor(job: Job, queueName: string) {
    this.#job = job;
    this.#queueName = queueName;
  }

  /** A table has come into sync: look soon, also when a look is under way, and at what has failed as well. */
  hurry(): void {
    this.#dueAt = 0;
    this.#notBefore.clear();
  }

  /** Starts to look when it is time and keys are waiting; does not wait for them. */
  async tend(target: Database): Promise<void> {
    if (this.#running !== undefined || this.#dueAt > performance.now()) return;
    this.#dueAt = performance.now() + periodMs;
    if (!(await target.autocommitted(() => hasPendingForeignKeys(target)))) return;
    this.#running = this.#look().finally(() => {
      this.#running = undefined;
    });
  }

  /** Waits for the key that is being restored. */
  async stop(): Promise<void> {
    await this.#running;
  }

  async #look(): Promise<void> {
    const { databases, config } = this.#job;
    try {
      const db = await databases.get("fkeys", { connstr: config.get("db"), onConnect: limitLockWaits });
      const keys = await getValidPendingForeignKeys(db, this.#queueName);
      await db.commit();
      await this.#restoreAll(db, keys);
      if (keys.length === 0) await databases.close("fkeys");
    } catch (error) {
      await databases.close("fkeys");
      const pauseMs = this.#tell(error, "fkeys are");
      if (!this.#isHurried) this.#dueAt = performance.now() + pauseMs;
    }
  }

  async #restoreAll(db: Database, keys: readonly ForeignKey[]): Promise<void> {
    const ids = new Map(keys.map((key) => [JSON.stringify([key.fromTable, key.name]), key]));
    for (const id of this.#notBefore.keys()) if (!ids.has(id)) this.#notBefore.delete(id);
    for (const [id, key] of ids) {
      if (this.#job.isStopping) return;
      if ((this.#notBefore.get(id) ?? 0) > performance.now()) continue;
      this.#job.log.info(`Creating fkey: ${key.name} (${key.fromTable} --> ${key.toTable})`);
      try {
        await restoreForeignKey(db, key);
        this.#notBefore.delete(id);
      } catch (error) {
        if (db.isBroken) throw error;
        await db.rollback();
        this.#notBefore.set(id, performance.now() + this.#tell(error, `fkey ${key.name} is`));
      }
    }
    if (this.#isHurried) this.#notBefore.clear();
    this.#dueAt = Math.min(this.#dueAt, ...this.#notBefore.values());
  }

  /** @returns milliseconds until it is worth while to try again */
  #tell(error: unknown, what: string): number {
    const { log } = this.#job;
    const text = error instanceof Error ? error.message : String(error);
    if (error instanceof DatabaseError && error.retry !== "no") {
      log.debug(`${what} tried again: ${text}`);
      return lockedPeriodMs;
    }
    log.error(`fkey stays pending: ${text}`);
    return failedPeriodMs;
  }

  /** since the look that is under way has begun */
  get #isHurried(): boolean {
    return this.#dueAt === 0;
  }
}

async function limitLockWaits(db: Database): Promise<void> {
  await db.execute(`set lock_timeout = '${lockTimeout}'`);
  await db.commit();
}

/** First not validated, then validated, each step in a transaction of its own: the long one takes only a weak lock. */
async function restoreForeignKey(db: Database, key: ForeignKey): Promise<void> {
  for (;;) {
    const statement = await restoreTableForeignKey(db, key);
    if (statement !== "") await db.execute(statement);
    await db.commit();
    if (statement === "") return;
  }
}
