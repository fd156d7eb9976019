import { forceTick } from "@skytools/pgq";
import {
  type BatchOutcome,
  type CascadedApplication,
  type CascadedBatch,
  type CascadeRound,
  getConsumerState,
  isRefusal,
} from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { crashPoint, quoteLiteral, Snapshot } from "@skytools/skytools";
import { applyBatch } from "../apply/apply-batch.ts";
import { type ApplyResult, expectedEvents } from "../apply/apply-input.ts";
import { handledTables } from "../handler/handled-tables.ts";
import type { HandlerRegistry } from "../handler/handler-registry.ts";
import { getTable, type ReplicatedTable } from "../londiste-api.ts";
import { copiedAlready, coversCopy, isCopySettled, tickSnapshot } from "../replay/copy-snapshot.ts";
import { copyStep, isMeeting } from "../replay/hand-over-rules.ts";
import { dropCopySnapshot, moveTable } from "../replay/move-table.ts";
import { openSourceSession } from "../replication-session.ts";
import { type EventsInput, TableTakeOver, type TakeOverPlace } from "./table-take-over.ts";

const shortestPollMs = 10;
/** Many copies may wait beside each other, and the worker tells each when it comes by. */
const longestPollMs = 200;
/** A forced tick jumps the event sequence: now and then is enough. */
const forceTickPeriodMs = 1000;

export interface CatchUpOptions extends TakeOverPlace {
  readonly registry: HandlerRegistry;
  connectTarget(target: Database): Promise<void>;
}

/** A copy that is so many ticks behind the worker does not take them one by one. */
const leapTicks = 4n;

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
  readonly #takeOver: TableTakeOver;

  constructor(job: Job, options: CatchUpOptions) {
    this.#job = job;
    this.#options = options;
    this.#takeOver = new TableTakeOver(job.log, options, (part) => this.#apply(part));
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
          cross join lateral
                -- Another node than the worker's provider may not be as far as the worker.
                (select t.tick_time from pgq.tick t
                  where t.tick_queue = q.queue_id and t.tick_id > $2 and t.tick_id <= $3
                  order by t.tick_id desc limit 1) w
          where q.queue_name = $1 and w.tick_time > c.tick_time`,
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

  #apply(part: EventsInput): Promise<ApplyResult> {
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
    const isPassed = batchTick !== undefined && batchTick <= worker.completedTick;
    const ahead =
      isBehind && !(isPassed && this.#takeOver.takeMiss())
        ? await this.#takeOver.look(this.provider, position, worker.completedTick)
        : undefined;
    const meeting = { position, workerPosition: worker.completedTick, reachableUntil: ahead?.tickId };
    const takesOver = async () =>
      (await this.#takeOver.attempt(round, this.provider, meeting, ahead))
        ? this.#finish("handed over")
        : "wait";
    const step = copyStep({ ...meeting, state: table.state, hasSnapshot, batchTick });
    switch (step) {
      case "apply":
      case "wait":
        return step;
      case "ask":
        await this.#ask(target, batchTick ?? position + 1n);
        return isMeeting(meeting) ? takesOver() : this.#decide(round, batchTick);
      case "take-over":
        return takesOver();
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

  #finish(outcome: "handed over" | "removed" | "resync"): "finish" {
    this.outcome = outcome;
    return "finish";
  }
}
