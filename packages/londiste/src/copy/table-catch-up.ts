import { forceTick } from "@skytools/pgq";
import {
  type BatchOutcome,
  type CascadedApplication,
  type CascadedBatch,
  type CascadeRound,
  getConsumerState,
  isRefusal,
  lockConsumerState,
  unregisterCascadedConsumer,
} from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { crashPoint, quoteLiteral, Snapshot } from "@skytools/skytools";
import { applyBatch } from "../apply/apply-batch.ts";
import { type ApplyInput, type ApplyResult, expectedEvents } from "../apply/apply-input.ts";
import { localCopyEnd } from "../copy-progress-api.ts";
import { type HandledTables, handledTables } from "../handler/handled-tables.ts";
import type { HandlerRegistry } from "../handler/handler-registry.ts";
import { getTable, type ReplicatedTable } from "../londiste-api.ts";
import { copiedAlready, coversCopy, isCopySettled, tickSnapshot } from "../replay/copy-snapshot.ts";
import { copyStep, isMeeting, type Meeting } from "../replay/hand-over-rules.ts";
import { dropCopySnapshot, moveTable } from "../replay/move-table.ts";
import { eventRangeSql, queuePart } from "../replay/queue-part.ts";
import { openSourceSession } from "../replication-session.ts";
import { type EventsAhead, eventsAhead } from "./events-ahead.ts";
import type { TakeOverQueue } from "./take-over-queue.ts";

const shortestPollMs = 10;
/** Many copies may wait beside each other, and the worker tells each when it comes by. */
const longestPollMs = 200;
/** A forced tick jumps the event sequence: now and then is enough. */
const forceTickPeriodMs = 1000;

export interface CatchUpOptions {
  readonly queueName: string;
  readonly workerName: string;
  readonly consumerName: string;
  readonly table: string;
  readonly registry: HandlerRegistry;
  /** shared with what else this process copies */
  readonly takeOvers: TakeOverQueue;
  connectTarget(target: Database): Promise<void>;
}

/** A copy that is so many ticks behind the worker does not take them one by one. */
const leapTicks = 4n;

/** So many events may be applied while replay waits for a table to be taken over. */
const mostEventsBetween = 100;
/** For one of them that somebody else's lock holds up. */
const lockTimeout = "100ms";

/** What to do with the batch at hand. */
type Decision = "apply" | "wait" | "finish";

/** The copy process's side of the hand-over, as an application of the cascaded loop: replays one table's events, asks for the
 * hand-over when it has nothing left to do before the worker's position, and takes the table over where the two meet.
 * The protocol is in replay/table-state-machine.ts. */
export class TableCatchUp implements CascadedApplication {
  readonly #job: Job;
  readonly #options: CatchUpOptions;
  /** how it ended */
  outcome: "handed over" | "removed" | "resync" | undefined;
  /** the provider's session, for taking the consumer away at the end */
  provider: Database | undefined;
  #lastForcedTick = Number.NEGATIVE_INFINITY;
  /** position at which the need for the copy's snapshot was last looked into */
  #settledAsked: bigint | undefined;
  #table: ReplicatedTable | undefined;
  /** false after it went wrong once */
  #appliesBetween = true;

  constructor(job: Job, options: CatchUpOptions) {
    this.#job = job;
    this.#options = options;
  }

  get isFinished(): boolean {
    return this.outcome !== undefined;
  }

  async connectTarget(target: Database): Promise<void> {
    await this.#options.connectTarget(target);
  }

  async connectSource(source: Database): Promise<void> {
    await openSourceSession(source);
  }

  /** Half of what lies between this copy and the worker: on a busy queue with many copies beside each other each tick costs, and
   * a batch must not end beyond the worker's position, where nothing could be handed over. */
  async span({ target, state }: CascadeRound, source: Database): Promise<string | undefined> {
    const { queueName, workerName } = this.#options;
    const worker = await getConsumerState(target, queueName, workerName);
    await target.commit();
    if (isRefusal(worker) || worker.completedTick - state.completedTick < leapTicks) return undefined;
    return source.autocommitted(() =>
      source.queryValue<string>(
        // The server takes the newest tick, unless that is beyond the double of what is asked for.
        `select ((w.tick_time - c.tick_time) / 2 - interval '1 microsecond')::text
           from pgq.queue q
           join pgq.tick c on c.tick_queue = q.queue_id and c.tick_id = $2
           join pgq.tick w on w.tick_queue = q.queue_id and w.tick_id = $3 and w.tick_time > c.tick_time
          where q.queue_name = $1`,
        [queueName, state.completedTick, worker.completedTick],
      ),
    );
  }

  async beforeBatch(batch: CascadedBatch): Promise<"apply" | "leave"> {
    this.provider = batch.source;
    await this.#dropNeedlessSnapshot(batch, batch.source);
    for (let pollMs = shortestPollMs; ; pollMs = Math.min(longestPollMs, pollMs * 2)) {
      const decision = await this.#decide(batch, batch.batch.tickId);
      if (decision === "apply") return "apply";
      if (decision === "finish" || this.#job.isStopping) return "leave";
      await this.#job.sleep(pollMs);
    }
  }

  async applyBatch(batch: CascadedBatch): Promise<BatchOutcome> {
    const table = this.#table!;
    const { queueName } = this.#options;
    const ofTable = `ev_extra1 = ${quoteLiteral(table.name)}`;
    const where =
      table.copySnapshot === null
        ? ofTable
        : `${ofTable} and not ${copiedAlready(table.name, table.copySnapshot)}`;
    const result = await this.#apply({
      source: batch.source,
      target: batch.target,
      batchId: batch.batch.batchId,
      tickId: batch.batch.tickId,
      tickTime: batch.batch.tickTime,
      eventQuery: await batch.eventQuery(where),
      expectedEvents: expectedEvents(batch.batch),
    });
    if (table.copySnapshot !== null) {
      const tick = await tickSnapshot(batch.source, queueName, batch.batch.tickId);
      if (tick !== undefined && coversCopy(tick, Snapshot.parse(table.copySnapshot))) {
        await dropCopySnapshot(batch.target, this.#job.log, queueName, table.name);
      }
    }
    crashPoint("copy.before-replay-commit");
    return { eventCount: result.eventCount, maxEventId: result.maxEventId };
  }

  #apply(
    part: Omit<ApplyInput, "log" | "queueName" | "onControlEvent" | keyof HandledTables>,
  ): Promise<ApplyResult> {
    const { queueName, registry } = this.#options;
    return applyBatch({
      ...part,
      ...handledTables(registry, [this.#table!]),
      log: this.#job.log,
      queueName,
      onControlEvent: async () => {},
    });
  }

  async idle(round: CascadeRound, source: Database | undefined): Promise<"busy" | "idle"> {
    this.provider = source;
    if (source !== undefined) await this.#dropNeedlessSnapshot(round, source);
    const decision = await this.#decide(round, undefined);
    if (decision === "finish") return "idle";
    if (this.#table?.copySnapshot != null && source !== undefined) await this.#forceTick(source);
    return "idle";
  }

  /** On a quiet table nothing happens between the tick and the copy: then there is no need to wait for the next tick. */
  async #dropNeedlessSnapshot({ target, state }: CascadeRound, source: Database): Promise<void> {
    if (this.#settledAsked === state.completedTick) return;
    this.#settledAsked = state.completedTick;
    const { queueName, table: name } = this.#options;
    const snapshot = (await getTable(target, queueName, name))?.copySnapshot ?? null;
    if (snapshot !== null && (await isCopySettled(source, queueName, name, state.completedTick, snapshot))) {
      await dropCopySnapshot(target, this.#job.log, queueName, name);
    }
    await target.commit();
    await source.commit();
  }

  /** A tick later than the copied rows ends the need for their snapshot; on a quiet queue it would be long in coming. */
  async #forceTick(source: Database): Promise<void> {
    if (performance.now() - this.#lastForcedTick < forceTickPeriodMs) return;
    this.#lastForcedTick = performance.now();
    await forceTick(source, this.#options.queueName);
    await source.commit();
  }

  /** @param batchTick end of the batch at hand; undefined at the end of the queue */
  async #decide(round: CascadeRound, batchTick: bigint | undefined): Promise<Decision> {
    const { target } = round;
    const { log } = this.#job;
    const { queueName, workerName } = this.#options;
    const table = await getTable(target, queueName, this.#options.table);
    const worker = await getConsumerState(target, queueName, workerName);
    await target.commit();
    this.#table = table;
    if (table === undefined || !table.isLocal || isRefusal(worker)) {
      log.error(`Table ${this.#options.table} removed from replication`);
      return this.#finish("removed");
    }
    if (table.copyRole === "wait-replay") return "wait";
    const position = round.state.completedTick;
    const hasSnapshot = table.copySnapshot !== null;
    const isBehind = position < worker.completedTick && !hasSnapshot;
    const ahead = isBehind ? await this.#eventsAhead(position) : undefined;
    const meeting = { position, workerPosition: worker.completedTick, reachableUntil: ahead?.tickId };
    const step = copyStep({ ...meeting, state: table.state, hasSnapshot, batchTick });
    switch (step) {
      case "apply":
      case "wait":
        return step;
      case "ask":
        await this.#ask(target, batchTick ?? position + 1n);
        return isMeeting(meeting) ? this.#takeOver(target, meeting, ahead) : this.#decide(round, batchTick);
      case "take-over":
        return this.#takeOver(target, meeting, ahead);
      case "done":
        return this.#finish("handed over");
      case "anew":
        log.info(`${table.name}: copy starts anew`);
        return this.#finish("resync");
    }
  }

  async #ask(target: Database, tick: bigint): Promise<void> {
    await moveTable(target, this.#job.log, {
      queueName: this.#options.queueName,
      table: this.#options.table,
      event: "caught-up",
      tick,
    });
    await target.commit();
    crashPoint("copy.after-ask");
  }

  async #eventsAhead(position: bigint): Promise<EventsAhead | undefined> {
    const source = this.provider;
    if (source === undefined) return undefined;
    const { queueName, table } = this.#options;
    const most = this.#appliesBetween ? mostEventsBetween : 0;
    return source.autocommitted(() => eventsAhead(source, queueName, table, position, most));
  }

  async #takeOver(target: Database, meeting: Meeting, ahead: EventsAhead | undefined): Promise<Decision> {
    return this.#options.takeOvers.enter(() => this.#takeOverInTurn(target, meeting, ahead));
  }

  /** Behind a lock on the worker's position, so that it cannot move while this compares. */
  async #takeOverInTurn(
    target: Database,
    meeting: Meeting,
    ahead: EventsAhead | undefined,
  ): Promise<Decision> {
    const { queueName, workerName, consumerName, table } = this.#options;
    const { log } = this.#job;
    const worker = await lockConsumerState(target, queueName, workerName);
    if (isRefusal(worker) || !isMeeting({ ...meeting, workerPosition: worker.completedTick })) {
      await target.rollback();
      return "wait";
    }
    const result = await moveTable(target, log, { queueName, table, event: "take-over" });
    if (!result.isMoved) {
      await target.rollback();
      return "wait";
    }
    await unregisterCascadedConsumer(target, { log, quiet: true, commit: false }, queueName, consumerName);
    await localCopyEnd(target, queueName, table);
    const isThere = meeting.position === worker.completedTick || ahead?.count === 0;
    if (!isThere && !(await this.#applyBetween(target, meeting.position, worker.completedTick))) {
      await target.rollback();
      return "wait";
    }
    crashPoint("copy.before-take-over");
    await target.commit();
    crashPoint("copy.after-take-over");
    return this.#finish("handed over");
  }

  /** Applies what lies between this copy's position and the worker's.
   * @returns false when that failed, and the caller rolls back: the batches that come then tell what it is about */
  async #applyBetween(target: Database, position: bigint, tickId: bigint): Promise<boolean> {
    const source = this.provider!;
    const { queueName } = this.#options;
    try {
      const part = await queuePart(source, queueName, position, tickId);
      if (part === undefined) return false;
      await target.execute(`set local lock_timeout = '${lockTimeout}'`);
      await this.#apply({
        source,
        target,
        batchId: 0n,
        tickId,
        tickTime: part.tickTime,
        eventQuery: eventRangeSql(part, this.#options.table),
        expectedEvents: mostEventsBetween,
      });
      return true;
    } catch (error) {
      if (target.isBroken || source.isBroken) throw error;
      this.#appliesBetween = false;
      const reason = error instanceof Error ? error.message : String(error);
      this.#job.log.debug(`${this.#options.table}: not taken over yet: ${reason}`);
      return false;
    } finally {
      await source.rollback();
    }
  }

  #finish(outcome: "handed over" | "removed" | "resync"): "finish" {
    this.outcome = outcome;
    return "finish";
  }
}
