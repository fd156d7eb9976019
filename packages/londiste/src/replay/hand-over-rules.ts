import type { TableState } from "./table-state.ts";

/** Where a copy process and its worker stand. Ticks are those of the queue; a position is the last tick whose batch is committed in
 * the target. */
export interface Meeting {
  readonly position: bigint;
  readonly workerPosition: bigint;
  /** a tick up to which few events of the table follow the copy process's position, or none: it applies them while it takes the table
   * over. undefined: there are more, or it is not known */
  readonly reachableUntil: bigint | undefined;
}

/** True when the copy process can take the table over where the worker stands: it is there, or behind and within reach. */
export function isMeeting({ position, workerPosition, reachableUntil }: Meeting): boolean {
  if (position === workerPosition) return true;
  return position < workerPosition && reachableUntil !== undefined && workerPosition <= reachableUntil;
}

/** What a copy process sees before it does something. */
export interface CopyView extends Meeting {
  readonly state: TableState;
  /** the snapshot of the copied rows is still needed */
  readonly hasSnapshot: boolean;
  /** end of the batch at hand; undefined at the end of the queue */
  readonly batchTick: bigint | undefined;
}

/** apply: the batch at hand. ask: for the hand-over. take-over: the table, if the two meet behind the lock as well; nobody need
 * have granted that. done, anew: end, because the worker has the table, or because its copy has to start again. */
export type CopyStep = "apply" | "ask" | "take-over" | "wait" | "done" | "anew";

/** The copy process's side of the protocol in table-state-machine.ts. */
export function copyStep(view: CopyView): CopyStep {
  const { state, batchTick, position, workerPosition } = view;
  switch (state.kind) {
    case "none":
    case "in-copy":
      return "anew";
    case "ok":
      return "done";
    case "catching-up": {
      const hasCaughtUp = batchTick === undefined || position >= workerPosition || isMeeting(view);
      if (hasCaughtUp && !view.hasSnapshot) return "ask";
      return batchTick === undefined ? "wait" : "apply";
    }
    case "wanna-sync":
    case "do-sync":
      if (isMeeting(view)) return "take-over";
      return isPassedByWorker(view) ? "apply" : "wait";
  }
}

/** Having asked, a copy process stays behind the worker's position: there the worker may stop. */
function isPassedByWorker({ batchTick, workerPosition }: CopyView): boolean {
  return batchTick !== undefined && batchTick <= workerPosition;
}

/** What the worker sees of a table before it applies a batch. */
export interface GrantView {
  readonly state: TableState;
  /** undefined: its copy process is not registered */
  readonly copyPosition: bigint | undefined;
  readonly position: bigint;
  /** end of the batch that is open and not applied; undefined at the end of the queue */
  readonly batchTick: bigint | undefined;
}

/** The tick to write into do-sync: the end of the batch that the worker holds back; without one, the next tick there can be. */
export function heldTick(view: Pick<GrantView, "position" | "batchTick">): bigint {
  return view.batchTick ?? view.position + 1n;
}

const firstPauseMs = 150;
const longestBatchMs = 5000;
/** So many grants in vain: the worker has a backlog, and the copy process needs longer than the worker for its part. */
const manyFailures = 5;

/** How long the worker waits for a copy process that has its grant. Replay of all tables stands meanwhile, so that is a moment;
 * a copy process that is a batch behind needs, for its part of it, less than the worker has needed for all of it: where batches
 * take long, a pause may take as long, if shorter ones were in vain. Where many were, it is about a large table and a worker that
 * does not come to rest: a longer pause now and then is better than a table that never arrives.
 * @param failures grants in a row that the table's copy process did not take
 * @param batchMs how long the worker's last batch took */
export function longestPauseMs({
  failures,
  batchMs,
}: {
  readonly failures: number;
  readonly batchMs: number;
}): number {
  const doubled = (times: number) => Math.min(firstPauseMs * 2 ** Math.min(times, 20), longestBatchMs);
  const asBatches = Math.min(doubled(failures), Math.max(firstPauseMs, batchMs));
  return Math.max(asBatches, doubled(Math.max(0, failures - manyFailures)));
}

/** now: the copy process stands where the worker stands. late: it is still behind. no: nothing was asked, or the worker has to
 * come closer first. */
export function grantStep(view: GrantView): "now" | "late" | "no" {
  const { state, copyPosition, position } = view;
  if (state.kind !== "wanna-sync" || state.tick > heldTick(view)) return "no";
  if (copyPosition === undefined || copyPosition > position) return "no";
  return copyPosition === position ? "now" : "late";
}
