import type { Database } from "@skytools/skytools";
import { SkytoolsError, TableStructure } from "@skytools/skytools";
import {
  type AlignedSides,
  type AlignInput,
  type Skipped,
  withAlignedSides,
} from "../compare/aligned-sides.ts";
import { differentKeys } from "../compare/different-keys.ts";
import { tableChecksum } from "../compare/table-checksum.ts";
import { type Fix, fixStatement } from "./fix-statement.ts";
import { type KeyText, keyId, readRows } from "./row-images.ts";

/** So many rows are looked at, and fixed, together. */
const chunkSize = 500;

/** Differences of one table. */
export interface RepairCounts {
  readonly sourceRows: bigint;
  readonly targetRows: bigint;
  inserts: number;
  updates: number;
  deletes: number;
  /** rows that differ and could not be fixed: their events had not come through in time */
  unsettled: number;
}

export type RepairResult =
  | ({
      readonly kind: "checked";
      readonly table: string;
      readonly destination: string;
      readonly isApplied: boolean;
      /** with --dry-run --json: the fixes */
      readonly statements?: readonly string[];
    } & Readonly<RepairCounts>)
  | Skipped;

/** What becomes of the fixes. */
export interface FixTarget {
  /** true: fixes are applied, rows are looked at again for that */
  readonly isApplied: boolean;
  /** Takes the keys of rows that differ in the snapshots.
   * @returns those that differ and are not settled */
  take(keys: readonly KeyText[], sides: AlignedSides, counts: RepairCounts): Promise<number>;
  /** After the last of them: what was kept for the end.
   * @returns those that are not settled */
  finish?(sides: AlignedSides, counts: RepairCounts): Promise<number>;
}

/** Finds the rows of a table that differ from the source's and hands them over.
 * @throws SkytoolsError REPAIR when the keys of both sides are not the same
 * Source: spec/londiste.md 13.4, with its defects replaced */
export async function repairTable(input: AlignInput, fixes: FixTarget): Promise<RepairResult> {
  const { job, source, target } = input;
  const found = await withAlignedSides(input, async (sides) => {
    job.log.info(`Checking ${sides.destination}`);
    await refuseOtherKeys(source, target, sides);
    const [there, here] = await Promise.all([
      tableChecksum(source, sides.source, true),
      tableChecksum(target, sides.target, true),
    ]);
    const counts: RepairCounts = {
      sourceRows: there.rows,
      targetRows: here.rows,
      inserts: 0,
      updates: 0,
      deletes: 0,
      unsettled: 0,
    };
    let chunk: KeyText[] = [];
    const flush = async () => {
      if (job.isStopping) throw interrupted(sides, counts, fixes.isApplied);
      const keys = chunk;
      chunk = [];
      if (keys.length > 0) counts.unsettled += await fixes.take(keys, sides, counts);
    };
    for await (const { key } of differentKeys(source, target, sides)) {
      chunk.push(key);
      if (chunk.length >= chunkSize) await flush();
    }
    await flush();
    counts.unsettled += (await fixes.finish?.(sides, counts)) ?? 0;
    return { sides, counts };
  });
  if ("kind" in found) return found;
  const { sides, counts } = found;
  const { sourceRows, targetRows, inserts, updates, deletes } = counts;
  job.log.info(
    `finished ${sides.destination}: src: ${sourceRows} rows, dst: ${targetRows} rows, missed: ${inserts} inserts, ${updates} updates, ${deletes} deletes`,
  );
  return {
    kind: "checked",
    table: sides.table,
    destination: sides.destination,
    isApplied: fixes.isApplied,
    ...counts,
  };
}

/** What was applied is committed, and counts. */
function interrupted(sides: AlignedSides, counts: RepairCounts, isApplied: boolean): SkytoolsError {
  const { inserts, updates, deletes } = counts;
  const done = isApplied
    ? `${inserts} inserts, ${updates} updates, ${deletes} deletes are done and stay`
    : "nothing was changed";
  return new SkytoolsError("REPAIR", `${sides.table}: interrupted, ${done}`, {
    hint: "Run it again for the rest.",
  });
}

async function refuseOtherKeys(source: Database, target: Database, sides: AlignedSides): Promise<void> {
  const there = (await TableStructure.load(source, sides.sourceTable)).primaryKey;
  const here = (await TableStructure.load(target, sides.destination)).primaryKey;
  if (here.length > 0 && sides.target.key.length > 0 && there.join("\0") === here.join("\0")) return;
  throw new SkytoolsError("REPAIR", `${sides.table}: pkeys do not match`, {
    hint: `On the source: (${there.join(", ")}); here: (${here.join(", ")}).`,
  });
}

/** The fixes of some rows, as both sides show them now. */
export async function fixesOf(
  source: Database,
  target: Database,
  sides: AlignedSides,
  keys: readonly KeyText[],
): Promise<Fix[]> {
  const [there, here] = await Promise.all([
    readRows(source, sides.source, keys),
    readRows(target, sides.target, keys),
  ]);
  return keys.flatMap((key) => fixStatement(sides, there.get(keyId(key)), here.get(keyId(key))) ?? []);
}

export function countFix(counts: RepairCounts, { kind }: Fix): void {
  if (kind === "insert") counts.inserts += 1;
  else if (kind === "update") counts.updates += 1;
  else counts.deletes += 1;
}
