import type { PgqEvent } from "@skytools/pgq";
import type { BatchOutcome, CascadedApplication, CascadedBatch, CascadeRound } from "@skytools/pgq/cascade";
import { type Database, type Job, Snapshot } from "@skytools/skytools";
import { applyBatch } from "../apply/apply-batch.ts";
import { expectedEvents } from "../apply/apply-input.ts";
import { tablesBeingLoaded } from "../copy/copy-lock.ts";
import { replayScript } from "../execute/replay-script.ts";
import { forwardEvents, hasForwarders } from "../handler/forward-events.ts";
import { type HandledTables, handledTables } from "../handler/handled-tables.ts";
import { HandlerRegistry } from "../handler/handler-registry.ts";
import { getTableList, type ReplicatedTable, rootCheckSequences } from "../londiste-api.ts";
import { openSourceSession, openTargetSession } from "../replication-session.ts";
import { mergePartners } from "../table/merge-partners.ts";
import { isRegistered } from "../table/register-filter.ts";
import { applyLondisteEvent } from "./control-event.ts";
import { copyAnew, lockRegistrations, type Registration } from "./copy-anew.ts";
import { coversCopy, tickSnapshot } from "./copy-snapshot.ts";
import { CopySupervisor } from "./copy-supervisor.ts";
import { ForeignKeyRestorer } from "./foreign-keys.ts";
import { HandOver } from "./hand-over.ts";
import { removeLeftoverCopies } from "./leftover-copies.ts";
import { dropCopySnapshot, moveTable } from "./move-table.ts";
import { disturbance, tableMarks } from "./script-changes.ts";
import { SequenceUse } from "./sequence-use.ts";
import { needsCopyProcess } from "./table-state.ts";
import { wantedEvents } from "./wanted-events.ts";

/** Pause of an idle worker while a table is on its way to being handed over, and while one is being copied. */
const handOverPollMs = 25;
const copyPollMs = 250;
/** How often a node that cannot be reached is asked to forget a copy that has ended. */
const leftoverRetryMs = 60_000;

/** The node's worker: replays batches, and gets tables from registered to replicated. */
export class ReplayWorker implements CascadedApplication {
  readonly mergeFilter = "coalesce(ev_type, '') not like 'londiste.%'";
  readonly #job: Job;
  readonly #copies: CopySupervisor;
  readonly #handOver: HandOver;
  readonly #foreignKeys: ForeignKeyRestorer;
  readonly #sequenceUse = new SequenceUse();
  #tables: readonly ReplicatedTable[] = [];
  #batchMs = 0;
  #toldWaiting = "";
  #leftoversDueAt = 0;
  /** tables have come into sync: one of them perhaps by a copier whose worker was killed, of whose end nobody is told */
  #mayHaveOrphans = false;
  #registry: HandlerRegistry | undefined;

  constructor(job: Job, queueName: string) {
    this.#job = job;
    this.#foreignKeys = new ForeignKeyRestorer(job, queueName);
    this.#copies = new CopySupervisor(job);
    this.#handOver = new HandOver(job, (table) => this.#copies.nudge(table));
  }

  async startup(): Promise<void> {
    this.#registry = await HandlerRegistry.load(this.#job.config);
  }

  async reload(): Promise<void> {
    this.#registry = await HandlerRegistry.load(this.#job.config);
    this.#copies.reload();
  }

  async connectTarget(target: Database): Promise<void> {
    await openTargetSession(target, this.#job.log);
  }

  async connectSource(source: Database): Promise<void> {
    await openSourceSession(source);
  }

  async beforeBatch(batch: CascadedBatch): Promise<"apply"> {
    this.#sequenceUse.forget();
    await this.#manage(batch, batch.source, batch.batch.tickId);
    return "apply";
  }

  async applyBatch(batch: CascadedBatch): Promise<BatchOutcome> {
    const begin = performance.now();
    const outcome = await this.#applyBatch(batch);
    this.#batchMs = performance.now() - begin;
    return outcome;
  }

  async #applyBatch(batch: CascadedBatch): Promise<BatchOutcome> {
    const { target, source, queueName, role } = batch;
    // Read behind the lock on the position, without which no copy process can hand a table over.
    this.#note(await getTableList(target, queueName));
    const tables = this.#tables.filter((table) => table.isLocal && table.state.kind === "ok");
    const handled = await this.#handled(tables);
    const isApplied = role.appliesData;
    const result = await applyBatch({
      source,
      target,
      log: this.#job.log,
      batchId: batch.batch.batchId,
      tickId: batch.batch.tickId,
      tickTime: batch.batch.tickTime,
      queueName,
      eventQuery: await batch.eventQuery(wantedEvents(this.#job.config, tables, batch.role.copyTo !== null)),
      expectedEvents: expectedEvents(batch.batch),
      tables: isApplied ? handled.tables : new Map(),
      handlers: isApplied ? handled.handlers : new Map(),
      onControlEvent: async (event) => {
        if (event.type?.startsWith("pgq.")) await batch.applyCascadeEvent(event);
        else if (event.type === "EXECUTE") await this.#replayScript(batch, event);
        else await this.#replayListChange(batch, event);
      },
    });
    await this.#dropOldSnapshots(batch, tables);
    const { statistics } = this.#job;
    if (result.ignoredEvents > 0) statistics.put("ignored_events", result.ignoredEvents);
    if (result.rowByRowEvents > 0) statistics.put("row_by_row", result.rowByRowEvents);
    if (result.missingRows > 0) statistics.put("missing_rows", result.missingRows);
    const queueFilter = await this.#forward(batch);
    return { eventCount: result.eventCount, maxEventId: result.maxEventId, queueFilter };
  }

  async #handled(tables: readonly ReplicatedTable[]): Promise<HandledTables> {
    this.#registry ??= await HandlerRegistry.load(this.#job.config);
    return handledTables(this.#registry, tables);
  }

  /** Where handlers decide what goes on to the nodes behind: also of tables that are being copied.
   * @returns which events are copied as they are; undefined: all */
  async #forward(batch: CascadedBatch): Promise<string | undefined> {
    const { source, target } = batch;
    const { copyTo } = batch.role;
    if (copyTo === null) return undefined;
    const { handlers } = await this.#handled(this.#tables.filter((table) => table.isLocal));
    if (!hasForwarders(handlers)) return undefined;
    const eventQuery = (where: string) => batch.eventQuery(where);
    return forwardEvents({ source, target, copyTo, mergeFilter: this.mergeFilter, eventQuery, handlers });
  }

  /** Nothing to replay: look after tables; come back soon while one of them is about to be handed over. */
  async idle(round: CascadeRound, source: Database | undefined): Promise<"busy" | "idle"> {
    if (source === undefined) return "idle";
    await this.#manage(round, source, undefined);
    const kinds = new Set(this.#tables.filter((table) => table.isLocal).map((table) => table.state.kind));
    const isNear = kinds.has("catching-up") || kinds.has("wanna-sync");
    const pollMs = isNear ? handOverPollMs : kinds.has("in-copy") ? copyPollMs : undefined;
    if (pollMs === undefined || pollMs >= this.#job.config.getFloat("loop_delay") * 1000) return "idle";
    await this.#job.sleep(pollMs);
    return "busy";
  }

  /** A table is being handed over with difficulty: its copy process and this worker had better come by the same ticks. */
  get isHandingOver(): boolean {
    return this.#handOver.isNear;
  }

  async rootHousekeeping(round: CascadeRound): Promise<void> {
    await rootCheckSequences(round.target, { log: this.#job.log, quiet: true }, round.queueName);
    await this.#sequenceUse.publish(round.target, round.queueName);
  }

  async shutdown(): Promise<void> {
    await this.#copies.stop();
    await this.#foreignKeys.stop();
  }

  /** A table that this node is not to know does not get into its list. */
  async #replayListChange({ target, queueName }: CascadedBatch, event: PgqEvent): Promise<void> {
    const { log, config } = this.#job;
    if (event.type === "londiste.add-table" && !isRegistered(config, "tables", event.data ?? "")) return;
    await applyLondisteEvent(target, log, queueName, event);
  }

  async #replayScript({ target, queueName, role }: CascadedBatch, event: PgqEvent): Promise<void> {
    if (!role.appliesData) return;
    const { log, config } = this.#job;
    const copied = this.#tables.filter((table) => table.isLocal && needsCopyProcess(table.state));
    const destinations = copied.map(({ destination }) => destination);
    const before = copied.length === 0 ? undefined : await tableMarks(target, destinations);
    const script = event.extra1 ?? "";
    await replayScript(target, log, queueName, event, {
      lockTimeoutSeconds: config.getFloat("lock_timeout"),
      isWorthWaiting: () => this.#isCopyInTheWay(target, queueName, script),
    });
    if (before === undefined) return;
    const after = await tableMarks(target, destinations);
    const disturbed = copied.filter(({ name, destination }) => {
      const changed = disturbance(before.get(destination), after.get(destination));
      if (changed === undefined) return false;
      log.warn(`script ${script} has changed ${changed} of ${name} while it was copied: it is copied again`);
      return true;
    });
    if (disturbed.length === 0) return;
    const partners: Registration[] = [];
    for (const table of disturbed) partners.push(...(await mergePartners(target, queueName, table)));
    await lockRegistrations(target, [...disturbed.map(({ name }) => ({ queueName, name })), ...partners]);
    for (const { name } of disturbed) {
      await moveTable(target, log, { queueName, table: name, event: "rows-changed" });
    }
    await copyAnew(target, log, partners);
  }

  /** A script comes in order with the data, so replay stands while it waits for a table that is being loaded: to the end of that
   * copy, and not for the pause after a failure, after which all of its batch would have to be applied again. */
  async #isCopyInTheWay(target: Database, queueName: string, script: string): Promise<boolean> {
    if (this.#job.isStopping) return false;
    const tables = (await tablesBeingLoaded(target, queueName)).join(", ");
    if (tables === "") return false;
    const message = `script ${script} waits for a lock that the copy of ${tables} holds: replay stands until the copy is through`;
    if (message !== this.#toldWaiting) this.#job.log.warn(message);
    this.#toldWaiting = message;
    return true;
  }

  async #manage(round: CascadeRound, source: Database, nextTick: bigint | undefined): Promise<void> {
    const { target, queueName } = round;
    await this.#loadTables(target, queueName);
    const running = await this.#copies.supervise({ target, source, queueName }, this.#tables);
    const at = {
      target,
      queueName,
      workerName: round.consumerName,
      completedTick: round.state.completedTick,
      nextTick,
      batchMs: this.#batchMs,
    };
    if (await this.#handOver.run(at, this.#tables, running)) await this.#loadTables(target, queueName);
    const mayBeThere = this.#copies.mayHaveLeftovers || (this.#mayHaveOrphans && running.size === 0);
    if (mayBeThere && performance.now() >= this.#leftoversDueAt) {
      this.#copies.mayHaveLeftovers = false;
      this.#mayHaveOrphans = false;
      const areAllGone = await removeLeftoverCopies({
        job: this.#job,
        source,
        providerNode: round.state.providerNode,
        target,
        queueName,
        workerName: round.consumerName,
        tables: this.#tables,
        running,
      });
      if (!areAllGone) {
        this.#copies.mayHaveLeftovers = true;
        this.#leftoversDueAt = performance.now() + leftoverRetryMs;
      }
    }
    await this.#foreignKeys.tend(target);
  }

  async #loadTables(target: Database, queueName: string): Promise<void> {
    this.#note(await target.autocommitted(() => getTableList(target, queueName)));
  }

  #note(tables: readonly ReplicatedTable[]): void {
    // A small table may be copied and handed over between two looks.
    const notThere = new Set(this.#tables.filter(({ state }) => state.kind !== "ok").map(({ name }) => name));
    this.#tables = tables;
    if (!tables.some(({ name, state }) => state.kind === "ok" && notThere.has(name))) return;
    this.#foreignKeys.hurry();
    this.#mayHaveOrphans = true;
  }

  /** Snapshots in state ok come only from a copy by an older program; ours are gone before the hand-over. */
  async #dropOldSnapshots(batch: CascadedBatch, tables: readonly ReplicatedTable[]): Promise<void> {
    const filtered = tables.filter((table) => table.copySnapshot !== null);
    if (filtered.length === 0) return;
    const tick = await tickSnapshot(batch.source, batch.queueName, batch.batch.tickId);
    for (const table of filtered) {
      if (tick === undefined || !coversCopy(tick, Snapshot.parse(table.copySnapshot ?? ""))) continue;
      await dropCopySnapshot(batch.target, this.#job.log, batch.queueName, table.name);
    }
  }
}
