import { isRefusal, lockConsumerState } from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { DatabaseError, SkytoolsError } from "@skytools/skytools";
import type { AlignedSides } from "../compare/aligned-sides.ts";
import { readReplayGap } from "../compare/replay-gap.ts";
import { type Fix, inOrderOfSafety } from "./fix-statement.ts";
import { countFix, type FixTarget, fixesOf, type RepairCounts } from "./repair-table.ts";
import { replaceRows } from "./replaced-rows.ts";
import { type KeyText, keysWithout } from "./row-images.ts";

const retryMs = 200;
const lockNotAvailable = "55P03";
const uniqueViolation = "23505";
/** So many rows that stand in each other's way are kept for the end. */
const maxTangledRows = 10_000;

export interface AppliedFixesOptions {
  readonly job: Job;
  readonly queueName: string;
  readonly workerName: string;
  /** a session of its own on the source, REPEATABLE READ */
  readonly source: Database;
  /** a session of its own that writes, in replication role replica */
  readonly target: Database;
  /** how long rows are waited for whose events are on the way */
  readonly patienceMs: number;
}

/** Applies fixes on live tables. The snapshots in which a difference was found are old by then: so the rows are read again, behind a
 * lock on the worker's position, which holds replay back for as long as some hundred rows take. What the source shows beyond
 * that position are events that replay will bring: rows with such events are left until they have come. So a fix never undoes
 * a newer change, and never collides with one.
 *
 * Rows may stand in each other's way, as two do that have swapped a unique value: no order of single fixes works for those. They
 * are taken away together and put back right; when the row in the way is found only later, that happens at the end. */
export class AppliedFixes implements FixTarget {
  readonly isApplied = true;
  readonly #options: AppliedFixesOptions;
  #tangled: KeyText[] = [];

  constructor(options: AppliedFixesOptions) {
    this.#options = options;
  }

  take(keys: readonly KeyText[], sides: AlignedSides, counts: RepairCounts): Promise<number> {
    return this.#settle(keys, sides, counts, (tangled) => {
      const room = maxTangledRows - this.#tangled.length;
      this.#tangled.push(...tangled.slice(0, room));
      return Math.max(0, tangled.length - room);
    });
  }

  async finish(sides: AlignedSides, counts: RepairCounts): Promise<number> {
    const keys = this.#tangled;
    this.#tangled = [];
    return this.#settle(keys, sides, counts, (tangled) => tangled.length);
  }

  /** @param leave takes keys of rows that stand in the way of each other or of others; returns how many it cannot keep
   * @returns number of rows that are not settled */
  async #settle(
    keys: readonly KeyText[],
    sides: AlignedSides,
    counts: RepairCounts,
    leave: (tangled: readonly KeyText[]) => number,
  ): Promise<number> {
    const { job, patienceMs } = this.#options;
    const deadline = performance.now() + patienceMs;
    let left = keys;
    while (left.length > 0) {
      const result = await this.#fix(left, sides, counts);
      if (result.isTangled) return leave(left);
      left = result.left;
      if (left.length === 0 || job.isStopping || performance.now() >= deadline) break;
      await job.sleep(retryMs);
    }
    return left.length;
  }

  /** @returns the keys whose rows have events on the way */
  async #fix(
    keys: readonly KeyText[],
    sides: AlignedSides,
    counts: RepairCounts,
  ): Promise<{ readonly left: readonly KeyText[]; readonly isTangled: boolean }> {
    const { source, target, queueName, workerName } = this.#options;
    try {
      const position = await lockConsumerState(target, queueName, workerName);
      if (isRefusal(position))
        throw new SkytoolsError("CASCADE_NODE", `${position.note} (on ${target.label})`);
      const { columns, key } = sides.target;
      const gap = await readReplayGap(source, queueName, sides.table, position.completedTick, columns);
      if (gap.kind === "open") return { left: keys, isTangled: false };
      const settled =
        gap.kind === "none"
          ? keys
          : await keysWithout(
              target,
              key,
              keys,
              key.map((column) => gap.correction.rows[columns.indexOf(column)] ?? []),
            );
      const fixes = await this.#apply(settled, sides);
      if (fixes === undefined) return { left: keys, isTangled: true };
      await target.commit();
      for (const fix of fixes) countFix(counts, fix);
      return { left: keys.filter((each) => !settled.includes(each)), isTangled: false };
    } catch (error) {
      // The worker has its position for as long as a batch takes, somebody else a row.
      if (error instanceof DatabaseError && error.sqlState === lockNotAvailable)
        return { left: keys, isTangled: false };
      throw error;
    } finally {
      if (!source.isBroken) await source.rollback();
      if (!target.isBroken) await target.rollback();
    }
  }

  /** @returns what was fixed; undefined when rows stand in the way of each other */
  async #apply(keys: readonly KeyText[], sides: AlignedSides): Promise<readonly Fix[] | undefined> {
    const { source, target } = this.#options;
    const fixes = inOrderOfSafety(await fixesOf(source, target, sides, keys));
    const isDone = await attempt(target, async () => {
      for (const fix of fixes) await target.execute(fix.sql);
      return true;
    });
    if (isDone) return fixes;
    return (await attempt(target, () => replaceRows(source, target, sides, keys))) ? fixes : undefined;
  }
}

/** @returns what `work` says; false also when a unique key was violated, with nothing changed */
async function attempt(target: Database, work: () => Promise<boolean>): Promise<boolean> {
  await target.execute("savepoint londiste_fix");
  try {
    const isDone = await work();
    await target.execute("release savepoint londiste_fix");
    return isDone;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlState !== uniqueViolation || target.isBroken)
      throw error;
    await target.execute("rollback to savepoint londiste_fix; release savepoint londiste_fix");
    return false;
  }
}
