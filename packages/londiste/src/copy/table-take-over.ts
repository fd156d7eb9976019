import {
  type CascadeRound,
  hasCompletedTick,
  isRefusal,
  lockConsumerState,
  unregisterCascadedConsumer,
} from "@skytools/pgq/cascade";
import type { Database, Log } from "@skytools/skytools";
import { crashPoint } from "@skytools/skytools";
import type { ApplyInput, ApplyResult } from "../apply/apply-input.ts";
import type { HandledTables } from "../handler/handled-tables.ts";
import { localCopyEnd } from "../londiste-api.ts";
import { isMeeting, type Meeting } from "../replay/hand-over-rules.ts";
import { moveTable } from "../replay/move-table.ts";
import { eventRangeSql, queuePart } from "../replay/queue-part.ts";
import { type EventsAhead, eventsAhead } from "./events-ahead.ts";
import type { TakeOverQueue } from "./take-over-queue.ts";

/** So many events may be applied while replay waits for a table to be taken over. */
const mostEventsBetween = 100;
/** For one of them that somebody else's lock holds up. */
const lockTimeout = "100ms";
/** For one statement in the source. */
const sourceTimeout = "500ms";
/** For all of it. */
const longestMs = 1000;

/** Which events of the table to apply, and where. */
export type EventsInput = Omit<ApplyInput, "log" | "queueName" | "onControlEvent" | keyof HandledTables>;

/** Whose table, and where. */
export interface TakeOverPlace {
  readonly queueName: string;
  readonly workerName: string;
  /** of the copy */
  readonly consumerName: string;
  /** set-wide name */
  readonly table: string;
  /** shared with what else this process copies */
  readonly takeOvers: TakeOverQueue;
}

/** Takes a copied table over for the worker, where copy and worker meet. Replay of all tables may have to wait meanwhile: not for long,
 * whatever the source does, or what the events want. */
export class TableTakeOver {
  readonly #log: Log;
  readonly #place: TakeOverPlace;
  readonly #apply: (part: EventsInput) => Promise<ApplyResult>;
  /** false after it went wrong once */
  #appliesBetween = true;
  #hasMissed = false;

  constructor(log: Log, place: TakeOverPlace, apply: (part: EventsInput) => Promise<ApplyResult>) {
    this.#log = log;
    this.#place = place;
    this.#apply = apply;
  }

  /** True once after each attempt in vain: a batch that the worker has passed is to be applied before the next look, or a
   * copy that keeps missing a fast worker would never come closer. */
  takeMiss(): boolean {
    const hasMissed = this.#hasMissed;
    this.#hasMissed = false;
    return hasMissed;
  }

  /** What follows the copy's position, if that can be applied while the table is taken over. */
  async look(
    source: Database | undefined,
    position: bigint,
    workerPosition: bigint,
  ): Promise<EventsAhead | undefined> {
    if (source === undefined) return undefined;
    const { queueName, table } = this.#place;
    const most = this.#appliesBetween ? mostEventsBetween : 0;
    return source.autocommitted(() =>
      eventsAhead(source, { queueName, table, position, workerPosition }, most),
    );
  }

  /** @param ahead what look() has told
   * @returns false when the two did not meet, or what lies between could not be applied: all is as before
   * @throws SkytoolsError CASCADE_POSITION when the source is not of the worker's past; DatabaseError when a session is lost */
  async attempt(
    round: CascadeRound,
    source: Database | undefined,
    meeting: Meeting,
    ahead: EventsAhead | undefined,
  ): Promise<boolean> {
    const isTaken = await this.#place.takeOvers.enter(() =>
      this.#attemptInTurn(round, source, meeting, ahead),
    );
    this.#hasMissed = !isTaken;
    return isTaken;
  }

  /** Behind a lock on the worker's position, so that it cannot move while this compares. */
  async #attemptInTurn(
    round: CascadeRound,
    source: Database | undefined,
    meeting: Meeting,
    ahead: EventsAhead | undefined,
  ): Promise<boolean> {
    const { target } = round;
    const worker = await lockConsumerState(target, this.#place.queueName, this.#place.workerName);
    let isTaken = false;
    try {
      if (isRefusal(worker)) return false;
      const { completedTick } = worker;
      if (!isMeeting({ ...meeting, workerPosition: completedTick })) return false;
      const isThere = meeting.position === completedTick || ahead?.count === 0;
      isTaken =
        (source === undefined ||
          (await withinLimit(source, target, async () => {
            if (!(await this.#isOfWorkersPast(round, source, completedTick))) return false;
            return isThere || this.#applyBetween(target, source, meeting.position, completedTick);
          }))) &&
        (await this.#take(target));
      if (!isTaken) return false;
      crashPoint("copy.before-take-over");
      await target.commit();
      crashPoint("copy.after-take-over");
      return true;
    } finally {
      // The worker waits for that, also when this has failed.
      if (!isTaken) await target.rollback();
    }
  }

  /** A root that was declared dead, and lives, gives its ticks ids that those of its successor have as well. */
  async #isOfWorkersPast(
    { target, storesTickTimes }: CascadeRound,
    source: Database,
    tickId: bigint,
  ): Promise<boolean> {
    const { queueName, workerName: consumerName } = this.#place;
    const worker = { target, queueName, consumerName, storesTickTimes };
    return source.autocommitted(() => hasCompletedTick(worker, source, tickId));
  }

  /** Applies what lies between the copy's position and the worker's.
   * @returns false when that failed: the batches that come then tell what it is about */
  async #applyBetween(
    target: Database,
    source: Database,
    position: bigint,
    tickId: bigint,
  ): Promise<boolean> {
    const { queueName, table } = this.#place;
    try {
      await source.execute(`set local statement_timeout = '${sourceTimeout}'`);
      const part = await queuePart(source, queueName, position, tickId);
      if (part === undefined) throw new Error(`the source has no tick ${tickId}`);
      await target.execute(`set local lock_timeout = '${lockTimeout}'`);
      await this.#apply({
        source,
        target,
        batchId: 0n,
        tickId,
        tickTime: part.tickTime,
        eventQuery: eventRangeSql(part, table),
        expectedEvents: mostEventsBetween,
      });
      return true;
    } catch (error) {
      if (target.isBroken || source.isBroken) throw error;
      this.#appliesBetween = false;
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.debug(`${table}: not taken over yet: ${reason}`);
      return false;
    } finally {
      await source.rollback();
    }
  }

  /** @returns false when somebody else has moved the table meanwhile */
  async #take(target: Database): Promise<boolean> {
    const { queueName, consumerName, table } = this.#place;
    const result = await moveTable(target, this.#log, { queueName, table, event: "take-over" });
    if (!result.isMoved) return false;
    const call = { log: this.#log, quiet: true, commit: false };
    await unregisterCascadedConsumer(target, call, queueName, consumerName);
    await localCopyEnd(target, queueName, table);
    return true;
  }
}

/** Cuts short what takes too long. A source that has to be reached over a network may never answer, nor learn that nobody waits for it:
 * its session is given up. */
async function withinLimit(
  source: Database,
  target: Database,
  body: () => Promise<boolean>,
): Promise<boolean> {
  const cut = () => {
    if (source.isBusy) source.abandon(new Error(`no answer within ${longestMs} ms, while replay waits`));
    if (target.isBusy) void target.cancelRunning();
  };
  const timer = setInterval(cut, longestMs);
  try {
    return await body();
  } finally {
    clearInterval(timer);
  }
}
