import assert from "node:assert/strict";
import type { Move } from "@skytools/testbed";
import { copyStep, grantStep, heldTick, isMeeting, type Meeting } from "#src/replay/hand-over-rules.js";
import { formatTableState, parseTableState, type TableState } from "#src/replay/table-state.js";
import { nextState, type TableEvent } from "#src/replay/table-state-machine.js";

/* A table on its way from registered to replicated, between its worker and its copy process. Tick n ends batch n, which holds one
 * event of the table, n, or none; after the newest tick there may be one more event. Transitions and decisions are those of the code;
 * what a process does in one transaction is one move here. Positions, state and rows are in the database; what a process remembers
 * from one move to the next is lost when it is killed. Whoever is killed is started again. */

type WorkerDoing =
  | { readonly kind: "idle" }
  /** a table is in do-sync: it does not move */
  | { readonly kind: "holding"; readonly batchTick: number | undefined }
  | { readonly kind: "ready"; readonly batchTick: number };

type CopyDoing =
  | { readonly kind: "idle" }
  /** its consumer stands at the newest tick of that time */
  | { readonly kind: "registered" }
  | {
      readonly kind: "decided";
      readonly step: "apply" | "take-over";
      readonly batchTick: number | undefined;
      /** newest tick or worker's position then, if the copy can get there within a take-over */
      readonly reachableUntil: number | undefined;
      /** nothing of the table came up to there */
      readonly isQuiet: boolean;
    };

export interface HandOverWorld {
  /** as it is stored */
  readonly state: string | null;
  /** newest event in the copied rows, while their snapshot is stored */
  readonly snapshot: number | undefined;
  /** the events that the rows are made of; undefined: those of before the copy */
  readonly rows: readonly number[] | undefined;
  readonly newestTick: number;
  /** ticks whose batches hold nothing of the table */
  readonly quietTicks: readonly number[];
  readonly workerPosition: number;
  /** undefined: the copy's consumer is not registered */
  readonly copyPosition: number | undefined;
  readonly worker: WorkerDoing;
  readonly copy: CopyDoing;
  /** what may still happen */
  readonly left: {
    readonly ticks: number;
    readonly kills: number;
    readonly resyncs: number;
    readonly losses: number;
  };
}

const idle = { kind: "idle" } as const;

export function handOverWorld(left: HandOverWorld["left"]): HandOverWorld {
  return {
    state: null,
    snapshot: undefined,
    rows: undefined,
    newestTick: 1,
    quietTicks: [],
    workerPosition: 0,
    copyPosition: undefined,
    worker: idle,
    copy: idle,
    left,
  };
}

/** Both processes as they are in the code, or with one rule left out: to see that the rule is needed. */
export interface Rules {
  /** the worker takes back what was not taken, before it goes on */
  readonly withdraws: boolean;
  /** the snapshot of the copied rows has to be gone before the hand-over is asked for */
  readonly dropsSnapshotFirst: boolean;
  /** a copy that is behind applies what lies between when it takes the table over */
  readonly appliesBetween: boolean;
  /** it takes it over only if the worker has gone no farther than it has looked */
  readonly comparesBehindLock: boolean;
}

export const rulesOfTheCode: Rules = {
  withdraws: true,
  dropsSnapshotFirst: true,
  appliesBetween: true,
  comparesBehindLock: true,
};

export function movesOf(world: HandOverWorld, rules = rulesOfTheCode): Move<HandOverWorld>[] {
  return [...workerMoves(world, rules), ...copyMoves(world, rules), ...surroundings(world)];
}

const stateOf = (world: HandOverWorld): TableState => parseTableState(world.state);

/** A compare-and-set of the state. */
function moved(world: HandOverWorld, event: TableEvent, tick?: number): HandOverWorld {
  const next = nextState(stateOf(world), event, tick === undefined ? undefined : BigInt(tick));
  return next.isMove ? { ...world, state: formatTableState(next.state), snapshot: undefined } : world;
}

function workerMoves(world: HandOverWorld, rules: Rules): Move<HandOverWorld>[] {
  const { worker, workerPosition, newestTick } = world;
  switch (worker.kind) {
    case "idle": {
      const next = workerPosition < newestTick ? workerPosition + 1 : undefined;
      const looks = [{ name: "worker looks", make: () => workerLooks(world, next) }];
      if (stateOf(world).kind === "wanna-sync")
        looks.push({ name: "worker looks, and leaves it to the copy", make: () => goingOn(world, next) });
      // A worker that is behind takes several ticks at once.
      if (workerPosition + 2 <= newestTick)
        looks.push({
          name: "worker looks from two ticks",
          make: () => workerLooks(world, workerPosition + 2),
        });
      return looks;
    }
    case "holding": {
      const { batchTick } = worker;
      const withdrawn = () => (rules.withdraws ? moved(world, "withdraw") : world);
      return [{ name: "worker withdraws", make: () => goingOn(withdrawn(), batchTick) }];
    }
    case "ready":
      return [{ name: "worker applies", make: () => workerApplies(world, worker.batchTick) }];
  }
}

/** It sees to the copy, and grants a hand-over. */
function workerLooks(world: HandOverWorld, batchTick: number | undefined): HandOverWorld {
  const state = stateOf(world);
  if (state.kind === "none") return goingOn(moved(world, "start-copy"), batchTick);
  if (state.kind === "do-sync") return { ...world, worker: { kind: "holding", batchTick } };
  const { copyPosition, workerPosition } = world;
  const view = {
    state,
    copyPosition: copyPosition === undefined ? undefined : BigInt(copyPosition),
    position: BigInt(workerPosition),
    batchTick: batchTick === undefined ? undefined : BigInt(batchTick),
  };
  if (grantStep(view) === "no") return goingOn(world, batchTick);
  return { ...moved(world, "grant", Number(heldTick(view))), worker: { kind: "holding", batchTick } };
}

function goingOn(world: HandOverWorld, batchTick: number | undefined): HandOverWorld {
  return { ...world, worker: batchTick === undefined ? idle : { kind: "ready", batchTick } };
}

function workerApplies(world: HandOverWorld, batchTick: number): HandOverWorld {
  const { kind } = stateOf(world);
  assert.notEqual(kind, "do-sync", "the worker moves while a table is in do-sync");
  const events = kind === "ok" ? eventsOf(world, world.workerPosition, batchTick) : [];
  const rows = world.rows && [...world.rows, ...events];
  return { ...world, rows, workerPosition: batchTick, worker: idle };
}

function copyMoves(world: HandOverWorld, rules: Rules): Move<HandOverWorld>[] {
  const { copy, copyPosition, newestTick } = world;
  const { kind } = stateOf(world);
  switch (copy.kind) {
    case "registered":
      return [0, 1].map((more) => ({
        name: `copy copies${more === 0 ? "" : " an event that has no tick yet"}`,
        make: () => copies(world, world.newestTick + more),
      }));
    case "decided":
      return [{ name: `copy does: ${copy.step}`, make: () => copyActs(world, copy, rules) }];
    case "idle": {
      if (kind === "none") return [];
      if (kind === "ok") {
        return copyPosition === undefined
          ? []
          : [{ name: "copy is done", make: () => ({ ...world, copyPosition: undefined }) }];
      }
      if (kind === "in-copy") {
        const registered = { ...world, copyPosition: newestTick, copy: { kind: "registered" } as const };
        return [{ name: "copy registers", make: () => registered }];
      }
      if (copyPosition === undefined)
        return [{ name: "copy has lost its place", make: () => moved(world, "place-lost") }];
      const next = copyPosition < newestTick ? copyPosition + 1 : undefined;
      const isBehind = copyPosition < world.workerPosition && world.snapshot === undefined;
      const reaches = isBehind ? [newestTick, world.workerPosition, undefined] : [undefined];
      const looks = [...new Set(reaches)].map((until) => ({
        name: `copy looks ${until === undefined ? "at its batch" : `up to tick ${until}`}`,
        make: () => copyLooks(world, next, until, rules),
      }));
      // A copy that is behind takes several ticks at once, up to the worker's position.
      if (copyPosition + 2 <= world.workerPosition)
        looks.push({ name: "copy leaps", make: () => copyLooks(world, copyPosition + 2, undefined, rules) });
      return looks;
    }
  }
}

/** The rows, the snapshot and the state, in one transaction. */
function copies(world: HandOverWorld, snapshot: number): HandOverWorld {
  const copied = moved(world, "data-copied");
  if (copied === world) return { ...world, copy: idle };
  return { ...copied, rows: eventsOf(world, 0, snapshot), snapshot, copy: idle };
}

/** The table's events after one tick and up to another. */
function eventsOf({ quietTicks }: HandOverWorld, after: number, last: number): number[] {
  const ticks = Array.from({ length: Math.max(0, last - after) }, (_, nr) => after + nr + 1);
  return ticks.filter((tick) => !quietTicks.includes(tick));
}

/** @param reachableUntil undefined: much lies between, or its batch goes first because the copy has missed the worker */
function copyLooks(
  world: HandOverWorld,
  batchTick: number | undefined,
  reachableUntil: number | undefined,
  rules: Rules,
): HandOverWorld {
  const { snapshot, copyPosition: position = 0, workerPosition } = world;
  if (snapshot !== undefined && eventsOf(world, position, snapshot).length === 0)
    return { ...world, snapshot: undefined };
  const isQuiet = reachableUntil !== undefined && eventsOf(world, position, reachableUntil).length === 0;
  const step = copyStep({
    ...meeting(position, workerPosition, reachableUntil),
    state: stateOf(world),
    hasSnapshot: snapshot !== undefined && rules.dropsSnapshotFirst,
    batchTick: batchTick === undefined ? undefined : BigInt(batchTick),
  });
  if (step === "ask") return moved(world, "caught-up", batchTick ?? position + 1);
  if (step === "apply" || step === "take-over")
    return { ...world, copy: { kind: "decided", step, batchTick, reachableUntil, isQuiet } };
  return world;
}

function meeting(position: number, workerPosition: number, reachableUntil: number | undefined): Meeting {
  return {
    position: BigInt(position),
    workerPosition: BigInt(workerPosition),
    reachableUntil: reachableUntil === undefined ? undefined : BigInt(reachableUntil),
  };
}

function copyActs(
  world: HandOverWorld,
  { step, batchTick, reachableUntil, isQuiet }: Extract<CopyDoing, { kind: "decided" }>,
  rules: Rules,
): HandOverWorld {
  const { copyPosition, workerPosition, snapshot, rows } = world;
  if (step === "take-over") {
    const isStillMeeting =
      copyPosition !== undefined && isMeeting(meeting(copyPosition, workerPosition, reachableUntil));
    if (rules.comparesBehindLock && !isStillMeeting) return { ...world, copy: idle };
    const taken = moved(world, "take-over");
    if (taken === world) return { ...world, copy: idle };
    const between =
      isQuiet || !rules.appliesBetween ? [] : eventsOf(world, copyPosition ?? 0, workerPosition);
    return { ...taken, rows: [...rows!, ...between], copyPosition: undefined, copy: idle };
  }
  if (batchTick === undefined || rows === undefined || copyPosition === undefined)
    return { ...world, copy: idle };
  const events = eventsOf(world, copyPosition, batchTick);
  const wanted = events.filter((event) => snapshot === undefined || event > snapshot);
  const isSettled = snapshot !== undefined && batchTick >= snapshot;
  return {
    ...world,
    rows: [...rows, ...wanted],
    copyPosition: batchTick,
    snapshot: isSettled ? undefined : snapshot,
    copy: idle,
  };
}

/** What happens around the two. */
function surroundings(world: HandOverWorld): Move<HandOverWorld>[] {
  const { left, worker, copy, state } = world;
  const moves: Move<HandOverWorld>[] = [];
  if (left.ticks > 0) {
    const less = { ...left, ticks: left.ticks - 1 };
    const tick = world.newestTick + 1;
    moves.push({ name: "tick", make: () => ({ ...world, newestTick: tick, left: less }) });
    if (world.rows?.includes(tick) !== true) {
      const quietTicks = [...world.quietTicks, tick];
      moves.push({
        name: "tick without an event",
        make: () => ({ ...world, newestTick: tick, quietTicks, left: less }),
      });
    }
  }
  if (left.kills > 0) {
    const less = { ...left, kills: left.kills - 1 };
    if (worker.kind !== "idle")
      moves.push({ name: "kill worker", make: () => ({ ...world, worker: idle, left: less }) });
    if (copy.kind !== "idle")
      moves.push({ name: "kill copy", make: () => ({ ...world, copy: idle, left: less }) });
  }
  if (left.resyncs > 0 && state !== null) {
    const less = { ...left, resyncs: left.resyncs - 1 };
    // The copy that is under way may not have been ended yet, but no other one begins before that.
    moves.push({ name: "resync", make: () => ({ ...moved(world, "resync"), left: less }) });
  }
  if (left.losses > 0 && world.copyPosition !== undefined && copy.kind === "idle") {
    const less = { ...left, losses: left.losses - 1 };
    moves.push({
      name: "the copy's consumer is removed",
      make: () => ({ ...world, copyPosition: undefined, left: less }),
    });
  }
  return moves;
}

/** Throws where rows and positions do not belong together. */
export function checkHandOver(world: HandOverWorld): void {
  const { rows, workerPosition, copyPosition, snapshot } = world;
  const { kind } = stateOf(world);
  if (kind === "none" || kind === "in-copy") return;
  if (kind === "ok") {
    assert.deepEqual(rows, eventsOf(world, 0, workerPosition), "rows at another position than the worker's");
  } else if (copyPosition !== undefined) {
    const last = Math.max(copyPosition, snapshot ?? 0);
    assert.deepEqual(rows, eventsOf(world, 0, last), "rows at another position than the copy's");
  }
  assert.ok(snapshot === undefined || kind === "catching-up", "a snapshot beyond catching up");
  if (kind === "wanna-sync" || kind === "do-sync") {
    // Only a copy that asked while the worker was behind may be ahead.
    const asked = stateOf(world);
    assert.ok("tick" in asked && (copyPosition ?? 0) <= Math.max(workerPosition, Number(asked.tick) - 1));
  }
}

/** Lets both processes work, with a tick now and then, until nothing changes any more. */
export function settle(start: HandOverWorld): HandOverWorld {
  let world: HandOverWorld = { ...start, worker: idle, copy: idle };
  for (let round = 0; round < 60; round += 1) {
    if (round === 5 || round === 20) world = { ...world, newestTick: world.newestTick + 1 };
    if (
      world.state === "ok" &&
      world.copyPosition === undefined &&
      round > 20 &&
      world.workerPosition === world.newestTick
    )
      return world;
    world = workerMoves(world, rulesOfTheCode)[0]!.make();
    for (let step = 0; step < 4; step += 1) world = copyMoves(world, rulesOfTheCode)[0]?.make() ?? world;
  }
  return world;
}
