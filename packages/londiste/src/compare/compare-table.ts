import { getConsumerState, isRefusal } from "@skytools/pgq/cascade";
import { type Database, type Job, quoteLiteral, SkytoolsError } from "@skytools/skytools";
import { loadTargetTables, type TargetColumn, type TargetTable } from "../apply/target-table.ts";
import { getTableList, type ReplicatedTable } from "../londiste-api.ts";
import { readReplayGap } from "./replay-gap.ts";
import { type TableChecksum, tableChecksum } from "./table-checksum.ts";

const retryMs = 200;

export interface CompareInput {
  readonly job: Job;
  readonly queueName: string;
  readonly workerName: string;
  /** both in REPEATABLE READ, no transaction open */
  readonly source: Database;
  readonly target: Database;
  readonly table: string;
  readonly isCountOnly: boolean;
  /** how long to wait for replay to come close enough */
  readonly patienceMs: number;
}

export type CompareResult =
  | {
      readonly kind: "compared";
      readonly table: string;
      readonly destination: string;
      readonly isSame: boolean;
      readonly source: TableChecksum;
      readonly target: TableChecksum;
    }
  | { readonly kind: "skipped"; readonly table: string; readonly reason: string };

/** Compares a table on two nodes at the same point of the queue, without a lock on either.
 *
 * The target's snapshot holds the table as of the tick that its worker has completed; the source's snapshot is taken later. The
 * events in between, which the source's snapshot shows and the tick does not, tell which rows will be different and how: they
 * are replaced in the target's sum. Nobody waits: not the source's writers, not replay.
 * Source: spec/londiste.md 13, with its defects 13.1 replaced */
export async function compareTable(input: CompareInput): Promise<CompareResult> {
  const deadline = performance.now() + input.patienceMs;
  for (;;) {
    try {
      const result = await compareOnce(input);
      if (typeof result === "object") return result;
      if (performance.now() >= deadline) {
        throw new SkytoolsError("COMPARE", `table "${input.table}" cannot be compared now: ${result}`, {
          hint: "Consumer lagging too much, or its worker is not running? --force waits without limit.",
        });
      }
    } finally {
      await input.source.rollback();
      await input.target.rollback();
    }
    await input.job.sleep(retryMs);
    if (input.job.isStopping) throw new SkytoolsError("COMPARE", "stopped");
  }
}

/** @returns why not now */
async function compareOnce(input: CompareInput): Promise<CompareResult | string> {
  const { job, source, target, table, queueName, isCountOnly } = input;
  const here = await localTable(target, queueName, table);
  if (typeof here === "string") return skipped(table, here);
  if (here.state.kind !== "ok") return skipped(table, `Table ${table} not synced yet, no point`);
  const worker = await getConsumerState(target, queueName, input.workerName);
  if (isRefusal(worker)) throw new SkytoolsError("CASCADE_NODE", `${worker.note} (on ${target.label})`);
  const there = await localTable(source, queueName, table);
  if (typeof there === "string") return skipped(table, `Table not available on provider: ${table}`);
  if (there.state.kind !== "ok") return skipped(table, `Table ${table} not ready yet on provider`);

  const targetShape = (await loadTargetTables(target, [here.destination])).get(here.destination);
  const sourceShape = (await loadTargetTables(source, [there.destination])).get(there.destination);
  if (sourceShape === undefined) return skipped(table, `Table ${table} does not exist on provider side`);
  if (targetShape === undefined) return skipped(table, `Table ${table} does not exist on subscriber side`);
  const columns = commonColumns(job, table, sourceShape, targetShape);
  const gap = await readReplayGap(source, queueName, table, worker.completedTick, columns);
  if (gap.kind === "open") return gap.reason;
  if (gap.kind === "corrected") job.log.debug(`${table}: ${gap.events} events are not replayed yet`);

  job.log.info(`Counting ${here.destination}`);
  const correction = gap.kind === "corrected" ? gap.correction : undefined;
  const [atSource, atTarget] = await Promise.all([
    tableChecksum(source, there.destination, sourceShape.only, inOrder(sourceShape, columns), isCountOnly),
    tableChecksum(target, here.destination, targetShape.only, columns, isCountOnly, correction),
  ]);
  return {
    kind: "compared",
    table,
    destination: here.destination,
    isSame: atSource.rows === atTarget.rows && atSource.checksum === atTarget.checksum,
    source: atSource,
    target: atTarget,
  };
}

async function localTable(db: Database, queueName: string, name: string): Promise<ReplicatedTable | string> {
  const table = (await getTableList(db, queueName)).find((entry) => entry.name === name);
  return table?.isLocal ? table : `Table not subscribed: ${name}`;
}

function skipped(table: string, reason: string): CompareResult {
  return { kind: "skipped", table, reason };
}

/** The columns of the target that both have, in the source's order. Generated ones follow from the others. */
function commonColumns(job: Job, table: string, source: TargetTable, target: TargetTable): TargetColumn[] {
  const plain = (shape: TargetTable) => shape.columns.filter((column) => !column.isGenerated);
  const common = plain(source).flatMap(
    (column) => plain(target).find((entry) => entry.name === column.name) ?? [],
  );
  if (common.length < plain(source).length || common.length < plain(target).length) {
    job.log.warn(`${table}: Ignoring some columns`);
  }
  if (common.length === 0) throw new SkytoolsError("COMPARE", `table "${table}": no common columns found`);
  return common;
}

function inOrder(shape: TargetTable, columns: readonly TargetColumn[]): TargetColumn[] {
  return columns.map((column) => shape.columns.find((entry) => entry.name === column.name) ?? column);
}

/** Settings under which both servers write values alike. */
export const compareSettings = `set timezone = 'UTC'; set lock_timeout = ${quoteLiteral("10s")}`;
