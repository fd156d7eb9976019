import type { Database, Log } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";
import type { PgqEvent } from "@skytools/pgq";
import type { ReplicatedTable } from "../londiste-api.ts";
import { ApplyError } from "./apply-error.ts";
import { classifyEvent, type EventKind } from "./event-kind.ts";
import {
  type ColumnSamples,
  eventStage,
  groupStagedEvents,
  loadEventStage,
  type StagedGroup,
  sampleColumns,
} from "./event-stage.ts";
import { applyRowByRow, type RowTarget } from "./row-apply.ts";
import { applyAsSet, type SegmentBounds, type TableEvents } from "./set-apply.ts";
import { loadTargetTables, type TargetTable } from "./target-table.ts";

/** With more barriers than this, going through the staged events once for each segment costs more than going row by row. */
const maxSegmentedBarriers = 20;

export interface ApplyInput {
  readonly source: Database;
  readonly target: Database;
  readonly log: Log;
  readonly batchId: bigint;
  readonly tickId: bigint;
  readonly queueName: string;
  /** SELECT of the batch's events, or of those that matter here */
  readonly eventQuery: string;
  /** tables whose events are to be applied now, by set name; events of others are ignored */
  readonly tables: ReadonlyMap<string, ReplicatedTable>;
  /** false: the events are only looked through for control events */
  readonly appliesData: boolean;
  readonly isForQueue: boolean;
  /** handles `pgq.*` and `londiste.*` events, in order, within the target's transaction */
  onControlEvent(event: PgqEvent): Promise<void>;
}

export interface ApplyResult {
  readonly eventCount: number;
  readonly maxEventId: bigint | undefined;
  /** row events of tables that are not applied here or not yet */
  readonly ignoredEvents: number;
  readonly rowByRowEvents: number;
  /** updates and deletes that found no row */
  readonly missingRows: number;
}

/** Applies one batch within the target's open transaction.
 *
 * The events come over as one COPY into a table of this session; there the server folds them to their net effect. TRUNCATE and
 * changes of the table list are barriers: they split the batch into segments that are applied one after the other. What cannot
 * be done as a set goes event by event, in the same transaction.
 * @throws ApplyError an event that cannot be applied
 * @throws SkytoolsError CASCADE_EVENT an event that nobody understands
 * Source: design "Apply"; spec/londiste.md 9 */
export async function applyBatch(input: ApplyInput): Promise<ApplyResult> {
  try {
    return await new BatchApply(input).run();
  } catch (error) {
    throw error instanceof ApplyError ? error.inBatch(input.batchId, input.tickId) : error;
  }
}

type Barrier = { readonly id: bigint; run(): Promise<void> };
type RowGroup = TableEvents["groups"][number];

class BatchApply {
  readonly #input: ApplyInput;
  #ignoredEvents = 0n;
  #rowByRowEvents = 0n;
  #missingRows = 0n;

  constructor(input: ApplyInput) {
    this.#input = input;
  }

  async run(): Promise<ApplyResult> {
    const { input } = { input: this.#input };
    const count = await loadEventStage(input.target, { ...input, tables: [...input.tables.keys()] });
    if (count === 0n) return this.#result([]);
    const groups = await groupStagedEvents(input.target);
    this.#refuse(groups);
    const barriers = await this.#barriers(groups);
    if (barriers.length <= maxSegmentedBarriers) await this.#applySegments(groups, barriers);
    else await this.#applyInOrder(groups, barriers);
    return this.#result(groups);
  }

  #result(groups: readonly StagedGroup[]): ApplyResult {
    const eventCount = groups.reduce((sum, group) => sum + group.count, 0n);
    const maxEventId = groups.reduce((max, group) => (group.maxId > max ? group.maxId : max), 0n);
    return {
      eventCount: Number(eventCount),
      maxEventId: groups.length === 0 ? undefined : maxEventId,
      ignoredEvents: Number(this.#ignoredEvents),
      rowByRowEvents: Number(this.#rowByRowEvents),
      missingRows: Number(this.#missingRows),
    };
  }

  #refuse(groups: readonly StagedGroup[]): void {
    for (const group of groups) {
      if (group.hasRetried) {
        throw new SkytoolsError(
          "CASCADE_EVENT",
          `event ${group.minId} or a later one of type "${group.type ?? ""}" was put into the retry queue: its order is lost`,
          { retry: "later" },
        );
      }
      if (classifyEvent(group.type, group.extra1).kind === "unknown") {
        throw new SkytoolsError(
          "CASCADE_EVENT",
          `Unhandled event type in queue: ${group.type ?? ""} (queue "${this.#input.queueName}", event ${group.minId})`,
          { retry: "later" },
        );
      }
    }
  }

  /** Control events in order, each with what it does; `pgq.*` events do not touch data and split nothing, but keep their order
   * among themselves and with the rest. */
  async #barriers(groups: readonly StagedGroup[]): Promise<Barrier[]> {
    const types = [...new Set(groups.filter((group) => this.#isControl(group)).map((group) => group.type))];
    if (types.length === 0) return [];
    const events = await this.#controlEvents(types);
    const barriers: Barrier[] = [];
    for (const event of events) {
      const kind = classifyEvent(event.type, event.extra1);
      if (kind.kind === "truncate") {
        const table = this.#input.tables.get(kind.table);
        if (table !== undefined) barriers.push({ id: event.id, run: () => this.#truncate(table, event) });
        else this.#ignoredEvents += 1n;
      } else if (kind.kind === "cascade" || event.type === "londiste.update-seq") {
        await this.#input.onControlEvent(event);
      } else if (kind.kind === "londiste") {
        barriers.push({ id: event.id, run: () => this.#input.onControlEvent(event) });
      }
    }
    return barriers;
  }

  #isControl(group: StagedGroup): boolean {
    return classifyEvent(group.type, group.extra1).kind !== "row";
  }

  async #controlEvents(types: readonly (string | null)[]): Promise<PgqEvent[]> {
    const rows = await this.#input.target.query<Record<string, string | null> & { ev_id: bigint; ev_txid: bigint }>(
      `select ev_id, ev_txid, ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
         from ${eventStage} where ev_type = any ($1::text[]) order by ev_id`,
      [types],
    );
    return rows.map((row) => ({
      id: row.ev_id,
      txid: row.ev_txid,
      time: row["ev_time"] ?? "",
      retry: null,
      type: row["ev_type"] ?? null,
      data: row["ev_data"] ?? null,
      extra1: row["ev_extra1"] ?? null,
      extra2: row["ev_extra2"] ?? null,
      extra3: row["ev_extra3"] ?? null,
      extra4: row["ev_extra4"] ?? null,
    }));
  }

  async #truncate(table: ReplicatedTable, event: PgqEvent): Promise<void> {
    const { target, log } = this.#input;
    const shape = (await loadTargetTables(target, [table.destination])).get(table.destination);
    if (shape === undefined) {
      throw new ApplyError(
        `table "${table.destination}" does not exist on this node`,
        event.id,
        event.txid,
        table.destination,
      );
    }
    log.debug(`truncating ${table.destination}`);
    await target.execute(`truncate ${shape.sqlName} cascade`);
  }

  async #applySegments(groups: readonly StagedGroup[], barriers: readonly Barrier[]): Promise<void> {
    const ids = barriers.map((barrier) => barrier.id);
    const segmented = ids.length === 0 ? groups : await groupStagedEvents(this.#input.target, ids);
    for (let segment = 0; segment <= barriers.length; segment += 1) {
      const bounds = { afterId: ids[segment - 1] ?? null, beforeId: ids[segment] ?? null };
      await this.#applySegment(
        segmented.filter((group) => group.segment === segment),
        bounds,
      );
      await barriers[segment]?.run();
    }
  }

  async #applySegment(groups: readonly StagedGroup[], bounds: SegmentBounds): Promise<void> {
    const { target, log } = this.#input;
    const events = this.#eventsByTable(groups);
    if (events.length === 0) return;
    const destinations = [...new Set(events.map((entry) => entry.replicated.destination))];
    const tables = await loadTargetTables(target, destinations);
    const rowTargets = events.map((entry) => ({
      events: entry,
      table: tables.get(entry.replicated.destination),
    }));
    // Triggers and foreign keys that fire see the order of events of all tables.
    if (rowTargets.some(({ table }) => table?.hasActiveTriggers) || destinations.length < events.length) {
      await this.#rowByRow(rowTargets, bounds);
      return;
    }
    const samples = await sampleColumns(target, events.flatMap(jsonGroups));
    for (const entry of rowTargets) {
      const reason = await this.#tryAsSet(entry, bounds, samples);
      if (reason === undefined) continue;
      if (reason !== "event format") {
        log.info(`${entry.events.replicated.destination}: applying ${entry.events.count} events row by row: ${reason}`);
      }
      await this.#rowByRow([entry], bounds);
    }
  }

  /** @returns why it has to go row by row; undefined when all is applied */
  async #tryAsSet(entry: RowTarget, bounds: SegmentBounds, samples: ColumnSamples): Promise<string | undefined> {
    const { target, log } = this.#input;
    if (entry.table === undefined) return "the table does not exist";
    const outcome = await applyAsSet(target, log, entry.events, entry.table, bounds, samples);
    if (!outcome.isApplied) return outcome.reason;
    this.#missingRows += outcome.missingRows;
    return undefined;
  }

  async #rowByRow(targets: readonly RowTarget[], bounds: SegmentBounds): Promise<void> {
    this.#rowByRowEvents += await applyRowByRow(this.#input.target, targets, bounds);
  }

  /** Many barriers: everything row by row, from barrier to barrier. */
  async #applyInOrder(groups: readonly StagedGroup[], barriers: readonly Barrier[]): Promise<void> {
    const events = this.#eventsByTable(groups);
    const names = events.map((entry) => entry.replicated.destination);
    const tables: ReadonlyMap<string, TargetTable> = await loadTargetTables(this.#input.target, names);
    const targets = events.map((entry) => ({ events: entry, table: tables.get(entry.replicated.destination) }));
    let afterId: bigint | null = null;
    for (const barrier of barriers) {
      if (targets.length > 0) await this.#rowByRow(targets, { afterId, beforeId: barrier.id });
      await barrier.run();
      afterId = barrier.id;
    }
    if (targets.length > 0) await this.#rowByRow(targets, { afterId, beforeId: null });
  }

  #eventsByTable(groups: readonly StagedGroup[]): TableEvents[] {
    const byTable = new Map<ReplicatedTable, RowGroup[]>();
    for (const group of groups) {
      const kind: EventKind = classifyEvent(group.type, group.extra1);
      if (kind.kind !== "row") continue;
      const table = this.#input.appliesData ? this.#input.tables.get(kind.table) : undefined;
      if (table === undefined) {
        this.#ignoredEvents += group.count;
        continue;
      }
      byTable.set(table, [...(byTable.get(table) ?? []), { ...group, kind }]);
    }
    return [...byTable].map(([replicated, ofTable]) => ({
      replicated,
      groups: ofTable,
      count: ofTable.reduce((sum, group) => sum + group.count, 0n),
    }));
  }
}

function jsonGroups(events: TableEvents): StagedGroup[] {
  return events.groups.filter((group) => group.kind.format === "json");
}
