import { type Database, DatabaseError, type Job, type Log } from "@skytools/skytools";
import {
  dropTableForeignKey,
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
 * at all rows of a large table takes its time. A key that the data violates stays pending; it does not stop replay. */
export class ForeignKeyRestorer {
  readonly #job: Job;
  readonly #queueName: string;
  #dueAt = 0;
  #running: Promise<void> | undefined;

  constructor(job: Job, queueName: string) {
    this.#job = job;
    this.#queueName = queueName;
  }

  /** Something has changed: look soon. */
  hurry(): void {
    this.#dueAt = 0;
  }

  /** Starts to look when it is time and keys are waiting; does not wait for them. */
  async tend(target: Database): Promise<void> {
    if (this.#running !== undefined || this.#dueAt > performance.now()) return;
    this.#dueAt = performance.now() + periodMs;
    if (!(await target.autocommitted(() => hasPendingForeignKeys(target)))) return;
    this.#running = this.#restoreAll().finally(() => {
      this.#running = undefined;
    });
  }

  /** Waits for the key that is being restored. */
  async stop(): Promise<void> {
    await this.#running;
  }

  async #restoreAll(): Promise<void> {
    const { databases, config, log } = this.#job;
    try {
      const db = await databases.get("fkeys", { connstr: config.get("db"), onConnect: limitLockWaits });
      const keys = await getValidPendingForeignKeys(db, this.#queueName);
      await db.commit();
      for (const key of keys) {
        log.info(`Creating fkey: ${key.name} (${key.fromTable} --> ${key.toTable})`);
        await restoreForeignKey(db, key);
      }
      if (keys.length === 0) await databases.close("fkeys");
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      await databases.close("fkeys");
      if (error instanceof DatabaseError && error.retry !== "no") {
        log.debug(`fkeys are tried again: ${text}`);
        this.#dueAt = performance.now() + lockedPeriodMs;
        return;
      }
      this.#dueAt = performance.now() + failedPeriodMs;
      log.error(`fkey stays pending: ${text}`);
    }
  }
}

async function limitLockWaits(db: Database): Promise<void> {
  await db.execute(`set lock_timeout = '${lockTimeout}'`);
  await db.commit();
}

/** First not validated, then validated, each step in a transaction of its own: the long one takes only a weak lock. */
async function restoreForeignKey(
  db: Database,
  key: Parameters<typeof restoreTableForeignKey>[1],
): Promise<void> {
  for (;;) {
    const statement = await restoreTableForeignKey(db, key);
    if (statement !== "") await db.execute(statement);
    await db.commit();
    if (statement === "") return;
  }
}
