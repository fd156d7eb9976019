import type { TableState, TableStateKind } from "./table-state.ts";

/* How a table gets from registered to replicated, between two processes that may die at any moment.
 *
 *   none --start-copy--> in-copy --data-copied--> catching-up --caught-up--> wanna-sync
 *                                                     ^                          |   \
 *                                                     |                        grant  +--take-over--> ok
 *                                                  withdraw                      v    |
 *                                                     +----------------------- do-sync
 *
 * The worker (one for the node) and the copy process (one for the table) each keep a position in the target database: the
 * last batch whose effects are committed there. What makes the hand-over exact:
 *
 * 1. The worker applies a table's events only in state ok, and the copy process only in catching-up and wanna-sync and
 *    do-sync. So at any time one of them applies the table.
 * 2. The copy process sets ok only when both positions are equal, seen behind a lock on the worker's position, or when few events
 *    lie between, which it applies behind that lock: everything up to the worker's position was applied by the copy process,
 *    everything after it will be by the worker, which reads the states behind that lock. So the worker goes on meanwhile. Only where
 *    the two keep missing each other does it stop: in do-sync it does not move.
 * 3. In wanna-sync the copy process applies a batch only when the worker has completed it: it can never be ahead of the
 *    position at which the worker stops.
 * 4. The worker waits a bounded time and then withdraws: a copy process that is slow or dead does not stop the other tables.
 *    It never applies a batch while a table is in do-sync.
 * 5. The snapshot that tells which events the copied rows contain already belongs to the copy process: it is gone before
 *    wanna-sync, because transaction ids mean nothing to a process that reads another node.
 *
 * A copy process whose place in the provider's queue is gone (place-lost: from each of its states back to none) cannot know
 * which events it has missed: the table is copied again. So is one whose rows a script has changed at the worker's position, while
 * the copy stood at another (rows-changed).
 *
 * Each move is a compare-and-set on the table's row: a process acts on the state that it finds behind the row lock.
 * Source: the state table of the seeds; spec/londiste.md 7 */

export type Actor = "worker" | "copy" | "operator";

/** What may happen to a table, by who does it. */
export type TableEvent =
  | "start-copy"
  | "data-copied"
  | "caught-up"
  | "grant"
  | "withdraw"
  | "take-over"
  | "place-lost"
  | "rows-changed"
  | "resync";

/** Who may cause an event. */
export const eventActor = {
  "start-copy": "worker",
  "data-copied": "copy",
  "caught-up": "copy",
  grant: "worker",
  withdraw: "worker",
  "take-over": "copy",
  "place-lost": "copy",
  "rows-changed": "worker",
  resync: "operator",
} as const satisfies Record<TableEvent, Actor>;

interface Move {
  readonly to: TableStateKind;
}
interface Refusal {
  readonly refused: string;
}
export type Transition = Move | Refusal;

const to = (kind: TableStateKind): Move => ({ to: kind });
const refuse = (refused: string): Refusal => ({ refused });

const copyNotRunning = refuse("no copy was started for this state");
const copyGoesOn = refuse("a copy is under way");
const alreadyCopied = refuse("the rows are copied already");
const notCopied = refuse("the rows are not copied yet");
const nothingAsked = refuse("the copy process did not ask for a hand-over");
const nothingGranted = refuse("no hand-over was granted");
const isReplicated = refuse("the worker replicates the table already");

/** Every state meets every event: a new state or event does not compile until all its pairs are decided. */
export const transitions: { readonly [S in TableStateKind]: { readonly [E in TableEvent]: Transition } } = {
  none: {
    "start-copy": to("in-copy"),
    "data-copied": copyNotRunning,
    "caught-up": copyNotRunning,
    grant: nothingAsked,
    withdraw: nothingGranted,
    "take-over": nothingAsked,
    "place-lost": copyNotRunning,
    "rows-changed": copyNotRunning,
    resync: to("none"),
  },
  "in-copy": {
    "start-copy": copyGoesOn,
    "data-copied": to("catching-up"),
    "caught-up": notCopied,
    grant: nothingAsked,
    withdraw: nothingGranted,
    "take-over": nothingAsked,
    "place-lost": notCopied,
    "rows-changed": to("none"),
    resync: to("none"),
  },
  "catching-up": {
    "start-copy": copyGoesOn,
    "data-copied": alreadyCopied,
    "caught-up": to("wanna-sync"),
    grant: nothingAsked,
    withdraw: nothingGranted,
    "take-over": nothingAsked,
    "place-lost": to("none"),
    "rows-changed": to("none"),
    resync: to("none"),
  },
  "wanna-sync": {
    "start-copy": copyGoesOn,
    "data-copied": alreadyCopied,
    "caught-up": refuse("the hand-over is asked for already"),
    grant: to("do-sync"),
    withdraw: nothingGranted,
    "take-over": to("ok"),
    "place-lost": to("none"),
    "rows-changed": to("none"),
    resync: to("none"),
  },
  "do-sync": {
    "start-copy": copyGoesOn,
    "data-copied": alreadyCopied,
    "caught-up": refuse("the hand-over is granted already"),
    grant: refuse("the hand-over is granted already"),
    withdraw: to("catching-up"),
    "take-over": to("ok"),
    "place-lost": to("none"),
    "rows-changed": to("none"),
    resync: to("none"),
  },
  ok: {
    "start-copy": isReplicated,
    "data-copied": isReplicated,
    "caught-up": isReplicated,
    grant: isReplicated,
    withdraw: isReplicated,
    "take-over": isReplicated,
    "place-lost": isReplicated,
    "rows-changed": isReplicated,
    resync: to("none"),
  },
};

/** Who takes a table out of a state, besides the operator. In wanna-sync it is whoever comes first. */
export const stateOwner = {
  none: "worker",
  "in-copy": "copy",
  "catching-up": "copy",
  "wanna-sync": "worker",
  "do-sync": "copy",
  ok: "operator",
} as const satisfies Record<TableStateKind, Actor>;

export type NextState =
  | { readonly isMove: true; readonly state: TableState }
  | { readonly isMove: false; readonly reason: string };

/** Looks the transition up.
 * @param tick for `caught-up`: the first tick that the copy process has not completed; for `grant`: the end of the batch that
 * the worker holds back, or its position + 1 when it has none */
export function nextState(state: TableState, event: TableEvent, tick?: bigint): NextState {
  const transition: Transition = transitions[state.kind][event];
  if ("refused" in transition) return { isMove: false, reason: transition.refused };
  const kind = transition.to;
  if (kind !== "wanna-sync" && kind !== "do-sync") return { isMove: true, state: { kind } };
  if (tick === undefined) throw new TypeError(`event ${event} needs a tick`);
  return { isMove: true, state: { kind, tick } };
}
