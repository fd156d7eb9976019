import { parseIsoTimestamp } from "@skytools/skytools";
import type { BatchInfo } from "./batch.ts";

/** Shorter pauses are not adjusted: timers and servers are not that precise. */
const shortestPauseMs = 50;
/** Timers may fire so much too early. */
const timerMs = 2;
/** What is known of the moment at which ticks appear grows old: by so much of the time that passes. */
const ageing = 1 / 1024;

/** Parts of the usual pause. */
const slack = 1 / 32;
const narrow = 1 / 16;
const secondLook = 1 / 8;

/** Between two moments of this process's clock (performance.now()). */
interface TimeWindow {
  readonly earliest: number;
  readonly latest: number;
}

/** Says how long a consumer that has found no batch pauses until it looks again. Ticks come in a beat, which the ticker's period and
 * the queue's ticker_max_lag give. Who looks just before a tick loses a whole pause, and who looks just after it none: pauses are
 * made longer or shorter, by half at most, so that a look comes soon after the moment at which the next tick is due. Over all beats they
 * are as long on average as without that.
 *
 * What is known of a tick is the time on its root's clock, and that it was not there at one look and there at the next. Between two
 * ticks as much time passes on any clock, so that each tick narrows down when the ones after it will appear, however long they take to
 * get to a branch and whatever its clock says. While that is known badly, looks come in the middle of the time in question. */
export class TickBeat {
  #lastTick: { readonly id: bigint; readonly timeMs: number } | undefined;
  #beatMs: number | undefined;
  /** when the last tick appeared */
  #appeared: TimeWindow | undefined;
  /** last look that found nothing, since the last tick */
  #emptyAt: number | undefined;

  /** A look has found nothing.
   * @param lookedAt performance.now() before it */
  foundNothing(lookedAt: number): void {
    this.#emptyAt = lookedAt;
  }

  /** A look has found a batch, perhaps one that was open before. */
  foundBatch(batch: BatchInfo, lookedAt: number): void {
    const last = this.#lastTick;
    if (last !== undefined && batch.tickId <= last.id) return;
    const timeMs = serverMs(batch.tickTime);
    const seen = { earliest: this.#emptyAt ?? Number.NEGATIVE_INFINITY, latest: lookedAt };
    const expected = last && this.#appeared && later(this.#appeared, timeMs - last.timeMs);
    this.#lastTick = { id: batch.tickId, timeMs };
    this.#beatMs = (timeMs - serverMs(batch.previousTickTime)) / Number(batch.tickId - batch.previousTickId);
    this.#appeared = overlap(expected, seen) ?? seen;
    this.#emptyAt = undefined;
  }

  /** Nobody looks any more: what was learned does not count for the next tick. */
  forget(): void {
    this.#lastTick = undefined;
    this.#beatMs = undefined;
    this.#appeared = undefined;
    this.#emptyAt = undefined;
  }

  /** @param usualMs the pause of one who knows nothing of ticks
   * @param now performance.now()
   * @returns milliseconds */
  pauseMs(usualMs: number, now: number): number {
    const beatMs = this.#beatMs;
    const appeared = this.#appeared;
    if (usualMs < shortestPauseMs || beatMs === undefined || !(beatMs > 0) || appeared === undefined)
      return usualMs;
    const width = appeared.latest - appeared.earliest;
    if (width > usualMs * 2) return usualMs;
    const afterwards = appeared.latest + usualMs * slack;
    const isNarrow = width <= usualMs * narrow;
    const aim = isNarrow ? afterwards : appeared.latest - width / 2;
    const again = isNarrow ? aim + usualMs * secondLook : afterwards;

    const hasLookedForNext = this.#emptyAt !== undefined && this.#emptyAt + timerMs >= aim + beatMs;
    if (hasLookedForNext && now + timerMs < again + beatMs) return again + beatMs - now;

    // The tick may be left out: the queue was idle. The ones after it come in the same beat.
    const leastMs = Math.max(usualMs / 2, usualMs - beatMs / 2);
    const beats = Math.max(1, Math.ceil((now + leastMs - aim) / beatMs));
    const leftMs = aim + beats * beatMs - now;
    return leftMs / Math.max(1, Math.round(leftMs / usualMs));
  }
}

/** @returns NaN for a time that is none, such as infinity */
function serverMs(time: string): number {
  try {
    return Number(parseIsoTimestamp(time)) / 1000;
  } catch {
    return Number.NaN;
  }
}

function later({ earliest, latest }: TimeWindow, ms: number): TimeWindow | undefined {
  return ms > 0 ? { earliest: earliest + ms * (1 - ageing), latest: latest + ms } : undefined;
}

/** @returns undefined when there is none: something has changed on the way of the ticks */
function overlap(one: TimeWindow | undefined, other: TimeWindow): TimeWindow | undefined {
  if (one === undefined) return undefined;
  const earliest = Math.max(one.earliest, other.earliest);
  const latest = Math.min(one.latest, other.latest);
  return earliest < latest ? { earliest, latest } : undefined;
}
