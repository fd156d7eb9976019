import { isRefusal, lockConsumerState } from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { DatabaseError, SkytoolsError } from "@skytools/skytools";
import type { AlignedSides } from "../compare/aligned-sides.ts";
import { readReplayGap } from "../compare/replay-gap.ts";
import { countFix, type FixTarget, fixesOf, type RepairCounts } from "./repair-table.ts";
import { type KeyText, keyId } from "./row-images.ts";

const retryMs = 200;
const lockNotAvailable = "55P03";

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
 * a newer change, and never collides with one. */
export class AppliedFixes implements FixTarget {
  readonly isApplied = true;
  readonly #options: AppliedFixesOptions;

  constructor(options: AppliedFixesOptions) {
    this.#options = options;
  }

  async take(keys: readonly KeyText[], sides: AlignedSides, counts: RepairCounts): Promise<number> {
    const { job, patienceMs } = this.#options;
    const deadline = performance.now() + patienceMs;
    let left = keys;
    for (;;) {
      left = await this.#fix(left, sides, counts);
      if (left.length === 0 || job.isStopping || performance.now() >= deadline) return left.length;
      await job.sleep(retryMs);
    }
  }

  /** @returns the keys whose rows have events on the way */
  async #fix(
    keys: readonly KeyText[],
    sides: AlignedSides,
    counts: RepairCounts,
  ): Promise<readonly KeyText[]> {
    const { source, target, queueName, workerName } = this.#options;
    try {
      const position = await lockConsumerState(target, queueName, workerName);
      if (isRefusal(position))
        throw new SkytoolsError("CASCADE_NODE", `${position.note} (on ${target.label})`);
      const { columns } = sides.target;
      const gap = await readReplayGap(source, queueName, sides.table, position.completedTick, columns);
      if (gap.kind === "open") return keys;
      const onTheWay = gap.kind === "corrected" ? keysOf(gap.correction.leftOut) : new Set<string>();
      const settled = keys.filter((key) => !onTheWay.has(keyId(key)));
      const fixes = await fixesOf(source, target, sides, settled);
      for (const fix of fixes) await target.execute(fix.sql);
      await target.commit();
      for (const fix of fixes) countFix(counts, fix);
      return keys.filter((key) => onTheWay.has(keyId(key)));
    } catch (error) {
      // The worker has its position for as long as a batch takes, somebody else a row.
      if (error instanceof DatabaseError && error.sqlState === lockNotAvailable) return keys;
      throw error;
    } finally {
      if (!source.isBroken) await source.rollback();
      if (!target.isBroken) await target.rollback();
    }
  }
}

/** Columns of keys as rows of keys. */
function keysOf(columns: readonly (readonly (string | null)[])[]): Set<string> {
  const rows = columns[0]?.length ?? 0;
  return new Set(Array.from({ length: rows }, (_, nr) => keyId(columns.map((column) => column[nr] ?? null))));
}
