import { getConsumerState, isRefusal } from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { SkytoolsError, TableStructure } from "@skytools/skytools";
import { loadTargetTables, type TargetColumn, type TargetTable } from "../apply/target-table.ts";
import type { HandlerRegistry } from "../handler/handler-registry.ts";
import { getTableList, type ReplicatedTable } from "../londiste-api.ts";
import { mergePartners } from "../table/merge-partners.ts";
import { readReplayGap } from "./replay-gap.ts";
import { differInEncoding } from "./server-encodings.ts";
import type { RowCorrection, RowSelection } from "./table-checksum.ts";

const retryMs = 200;

export interface AlignInput {
  readonly job: Job;
  readonly queueName: string;
  readonly workerName: string;
  readonly registry: HandlerRegistry;
  /** both in REPEATABLE READ, no transaction open */
  readonly source: Database;
  readonly target: Database;
  /** set name */
  readonly table: string;
  /** how long to wait for replay to come close enough */
  readonly patienceMs: number;
  /** SQL that rows on both sides have to meet, beside what the handler says */
  readonly condition?: string | undefined;
  /** true: only where no event is between the sides, because rows cannot be corrected for */
  readonly isExact?: boolean | undefined;
  /** true: neither side changes, and no queue says what lies between them */
  readonly standsStill?: boolean | undefined;
}

/** A table on two nodes at the same point of the queue. */
export interface AlignedSides {
  readonly table: string;
  /** plain names */
  readonly destination: string;
  readonly sourceTable: string;
  readonly source: RowSelection;
  readonly target: RowSelection;
  readonly sourceShape: TargetTable;
  readonly targetShape: TargetTable;
  readonly correction: RowCorrection | undefined;
}

export interface Skipped {
  readonly kind: "skipped";
  readonly table: string;
  readonly reason: string;
}

/** Takes a snapshot on each side and hands both to `look`, without a lock on either.
 *
 * The target's snapshot holds the table as of the tick that its worker has completed; the source's snapshot is taken later. The
 * events in between, which the source's snapshot shows and the tick does not, tell which rows will be different and how: they
 * are replaced in what is read of the target. Nobody waits: not the source's writers, not replay.
 * Source: spec/londiste.md 13, with its defects 13.1 replaced
 * @throws SkytoolsError COMPARE when replay does not come close enough in time */
export async function withAlignedSides<T>(
  input: AlignInput,
  look: (sides: AlignedSides) => Promise<T>,
): Promise<T | Skipped> {
  const deadline = performance.now() + input.patienceMs;
  for (;;) {
    try {
      const sides = await align(input);
      if (typeof sides === "object") return "kind" in sides ? sides : await look(sides);
      if (performance.now() >= deadline) {
        throw new SkytoolsError("COMPARE", `table "${input.table}" cannot be compared now: ${sides}`, {
          hint: "Consumer lagging too much, or its worker is not running? --force waits without limit.",
        });
      }
    } finally {
      if (!input.source.isBroken) await input.source.rollback();
      if (!input.target.isBroken) await input.target.rollback();
    }
    await input.job.sleep(retryMs);
    if (input.job.isStopping) throw new SkytoolsError("COMPARE", "stopped");
  }
}

/** @returns why not now */
async function align(input: AlignInput): Promise<AlignedSides | Skipped | string> {
  const { job, source, target, table, queueName, registry } = input;
  const skipped = (reason: string): Skipped => ({ kind: "skipped", table, reason });
  const here = await localTable(target, queueName, table);
  if (here === undefined) return skipped(`Table not subscribed: ${table}`);
  if (here.state.kind !== "ok") return skipped(`Table ${table} not synced yet, no point`);
  const worker = await getConsumerState(target, queueName, input.workerName);
  if (isRefusal(worker)) throw new SkytoolsError("CASCADE_NODE", `${worker.note} (on ${target.label})`);
  const there = await localTable(source, queueName, table);
  if (there === undefined) return skipped(`Table not available on provider: ${table}`);
  if (there.state.kind !== "ok") return skipped(`Table ${table} not ready yet on provider`);
  const handler = registry.ofTable(here) ?? {};
  if (handler.needsTable === false || handler.copiesRows === false || handler.copyRow !== undefined) {
    return skipped(`Table ${table} has other rows here by its handler`);
  }
  const destination = handler.destination ?? here.destination;
  const condition = bothOf(await handler.rowCondition?.(target), input.condition);
  // A handler says which rows belong here, not which of the others' do. What is only written down may hold theirs as well.
  if (input.condition === undefined && input.standsStill !== true) {
    const others = [
      ...(await sharers(target, queueName, { name: table, destination })),
      ...(await sharers(source, queueName, there)),
    ];
    if (others.length > 0) {
      return skipped(
        `Table ${table} has rows of ${others.join(", ")} in it too: which are its own is only known to repair --repair-where=CONDITION`,
      );
    }
  }
  const targetShape = (await loadTargetTables(target, [destination])).get(destination);
  const sourceShape = (await loadTargetTables(source, [there.destination])).get(there.destination);
  if (sourceShape === undefined) return skipped(`Table ${table} does not exist on provider side`);
  if (targetShape === undefined) return skipped(`Table ${table} does not exist on subscriber side`);
  const columns = commonColumns(job, table, sourceShape, targetShape);
  const gap =
    input.standsStill === true
      ? ({ kind: "none" } as const)
      : await readReplayGap(source, queueName, table, worker.completedTick, columns);
  if (gap.kind === "open") return gap.reason;
  if (gap.kind === "corrected") {
    if (input.isExact === true) return "events are not replayed yet";
    job.log.debug(`${table}: ${gap.events} events are not replayed yet`);
  }
  const correction = gap.kind === "corrected" ? gap.correction : undefined;
  const key = await keyColumns(target, destination, columns);
  const sourceColumns = inOrder(sourceShape, columns);
  const isPortable = await differInEncoding(source, target);
  return {
    table,
    destination,
    sourceTable: there.destination,
    sourceShape,
    targetShape,
    correction,
    source: {
      from: `${sourceShape.only}${sourceShape.sqlName}`,
      columns: sourceColumns,
      key: inOrder(sourceShape, key),
      condition,
      isPortable,
    },
    target: {
      from: `${handler.hasPartitions === true ? "" : targetShape.only}${targetShape.sqlName}`,
      columns,
      key,
      condition,
      correction,
      isPortable,
    },
  };
}

/** Others whose rows lie in the same local table: taken for rows that the other side lacks, they would be deleted. */
async function sharers(
  db: Database,
  queueName: string,
  table: Pick<ReplicatedTable, "name" | "destination">,
): Promise<string[]> {
  const partners = await mergePartners(db, queueName, table);
  return partners.map((partner) => `${partner.name} of queue ${partner.queueName} (${db.label})`);
}

async function localTable(
  db: Database,
  queueName: string,
  name: string,
): Promise<ReplicatedTable | undefined> {
  const table = (await getTableList(db, queueName)).find((entry) => entry.name === name);
  return table?.isLocal ? table : undefined;
}

function bothOf(first: string | undefined, second: string | undefined): string | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return `(${first}) and (${second})`;
}

/** The primary key, if both sides have all of its columns; empty otherwise. */
async function keyColumns(
  db: Database,
  destination: string,
  columns: readonly TargetColumn[],
): Promise<TargetColumn[]> {
  const key = (await TableStructure.load(db, destination)).primaryKey;
  const found = key.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  return found.length === key.length ? found : [];
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
