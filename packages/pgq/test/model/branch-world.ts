import assert from "node:assert/strict";
import { SkytoolsError } from "@skytools/skytools";
import type { Move } from "@skytools/testbed";
import { batchPosition } from "#src/cascade/position.js";
import { tickBeforeBatch, tickOfAppliedBatch } from "#src/cascade/tick-recovery.js";
import type { WorkerRole } from "#src/cascade/worker-role.js";
import { workerRole } from "#src/cascade/worker-role.js";
import { newNode } from "./node-info.js";

/* A branch below a root and beside another branch, as far as ticks and positions go. Every batch holds one event. The decisions are
 * those of the worker; what it does in one transaction is one move here, and it may be killed between any two. */

/** A batch, by the tick that ends it. Its time tells it from another one of the same id. */
interface ModelBatch {
  readonly time: string;
}

interface ModelProvider {
  /** the batch that ends with tick n is at n - 1 */
  readonly batches: readonly ModelBatch[];
  /** the tick that it believes the branch to have finished */
  readonly place: number;
}

interface OpenBatch {
  readonly tick: number;
  readonly time: string;
  readonly previousTime: string;
  /** what the worker has read before it was opened */
  readonly completed: number;
}

type Doing =
  | { readonly kind: "idle" }
  | { readonly kind: "opened" | "ready" | "committed" | "ticked"; readonly batch: OpenBatch };

type ProviderName = "root" | "sibling";

export interface BranchWorld {
  readonly root: ModelProvider;
  readonly sibling: ModelProvider;
  readonly provider: ProviderName;
  /** times of the batches whose events are in the branch's queue */
  readonly applied: readonly string[];
  readonly completed: number;
  /** of each tick of the branch's queue: its time, and how many events were committed before it */
  readonly ticks: readonly { readonly time: string; readonly events: number }[];
  readonly worker: Doing;
  /** what may still happen */
  readonly left: {
    readonly ticks: number;
    readonly kills: number;
    readonly switches: number;
    readonly restores: number;
  };
}

const beginning = "begin";
const idle: Doing = { kind: "idle" };

export function branchWorld(left: BranchWorld["left"]): BranchWorld {
  const provider: ModelProvider = { batches: [], place: 0 };
  return {
    root: provider,
    sibling: provider,
    provider: "root",
    applied: [],
    completed: 0,
    ticks: [{ time: beginning, events: 0 }],
    worker: idle,
    left,
  };
}

/** Whether the worker compares times, as the schema lets it. */
export interface Knowledge {
  readonly knowsTimes: boolean;
}

export function movesOf(world: BranchWorld, knowledge: Knowledge): Move<BranchWorld>[] {
  return [...workerMoves(world, knowledge), ...surroundings(world)];
}

/** Throws where the branch's queue is not what a prefix of its provider's was. */
export function checkBranch({ applied, completed, ticks }: BranchWorld): void {
  assert.equal(new Set(applied).size, applied.length, "an event twice");
  assert.equal(applied.length, completed, "a position that is not where the events end");
  for (const [id, { events }] of ticks.entries()) assert.equal(events, id, `tick ${id} among other events`);
  for (const [id, { time }] of ticks.entries())
    assert.equal(time, timeOf(applied, id), `tick ${id} is another`);
  assert.ok(ticks.length === completed + 1 || ticks.length === completed, "a tick is left out");
}

function timeOf(times: readonly string[], tick: number): string {
  return tick === 0 ? beginning : times[tick - 1]!;
}

function batchTimes({ batches }: ModelProvider): string[] {
  return batches.map(({ time }) => time);
}

/** True when the provider has everything that the branch has applied: nothing then keeps the worker from going on. */
export function fits(world: BranchWorld): boolean {
  const { batches, place } = world[world.provider];
  const isPrefix = world.applied.every((time, at) => batches[at]?.time === time);
  return isPrefix && place <= world.completed && place >= world.completed - 1;
}

/** Lets the worker alone until it has done one more batch of its provider. A tick that is missing comes with that at the latest. */
export function settle(start: BranchWorld): BranchWorld {
  const provider = start[start.provider];
  const grown = { ...provider, batches: [...provider.batches, { time: "one more" }] };
  let world: BranchWorld = { ...start, [start.provider]: grown, worker: idle };
  for (;;) {
    const [move] = workerMoves(world, { knowsTimes: true });
    if (move === undefined) return world;
    world = move.make();
  }
}

function workerMoves(world: BranchWorld, { knowsTimes }: Knowledge): Move<BranchWorld>[] {
  const { worker } = world;
  switch (worker.kind) {
    case "idle":
      return open(world);
    case "opened":
      return [{ name: "decide", make: () => decide(world, worker.batch, knowsTimes) }];
    case "ready":
      return [{ name: "apply", make: () => apply(world, worker.batch, knowsTimes) }];
    case "committed":
      return [
        {
          name: "tick",
          make: () => withTick(world, worker.batch.time, { kind: "ticked", batch: worker.batch }),
        },
      ];
    case "ticked":
      return [{ name: "finish", make: () => finish(world, worker.batch) }];
  }
}

function open(world: BranchWorld): Move<BranchWorld>[] {
  const { batches, place } = world[world.provider];
  const next = batches[place];
  if (next === undefined) return [];
  const batch: OpenBatch = {
    tick: place + 1,
    time: next.time,
    previousTime: timeOf(batchTimes(world[world.provider]), place),
    completed: world.completed,
  };
  return [{ name: "open", make: () => ({ ...world, worker: { kind: "opened", batch } }) }];
}

const branchRole: WorkerRole = workerRole(
  newNode({ nodeType: "branch", nodeName: "branch", providerNode: "root" }),
  true,
);

/** What the worker does with a batch; where it refuses it, the batch stays open and nothing changes. */
function decide(world: BranchWorld, batch: OpenBatch, knowsTimes: boolean): BranchWorld {
  const refused: BranchWorld = { ...world, worker: idle };
  const ids = { tickId: BigInt(batch.tick), previousTickId: BigInt(batch.tick - 1) };
  const newest = BigInt(world.ticks.length - 1);
  switch (positionOf(ids, batch)) {
    case undefined:
    case "covered":
    case "ahead":
      return refused;
    case "applied": {
      if (knowsTimes && timeOf(world.applied, batch.tick) !== batch.time) return refused;
      const tick = tickOfAppliedBatch(newest, ids);
      if (tick === "misplaced") return refused;
      if (tick === "missing") return withTick(world, batch.time, { kind: "ticked", batch });
      const isSame = world.ticks.at(-1)!.time === batch.time;
      return isSame ? { ...world, worker: { kind: "ticked", batch } } : refused;
    }
    case "due": {
      const tick = tickBeforeBatch(newest, ids);
      if (tick === "misplaced") return refused;
      if (tick === "missing") {
        if (knowsTimes && timeOf(world.applied, batch.tick - 1) !== batch.previousTime) return refused;
        return withTick(world, batch.previousTime, { kind: "opened", batch });
      }
      return { ...world, worker: { kind: "ready", batch } };
    }
  }
}

function positionOf(ids: { tickId: bigint; previousTickId: bigint }, { completed }: OpenBatch) {
  const batch = {
    ...ids,
    batchId: 1n,
    tickTime: "",
    previousTickTime: "",
    tickEventSeq: null,
    previousTickEventSeq: null,
  };
  const state = {
    nodeType: "branch",
    nodeName: "branch",
    completedTick: BigInt(completed),
    providerNode: "root",
    providerLocation: "",
    isPaused: false,
    isUptodate: true,
    currentError: null,
  } as const;
  try {
    return batchPosition(batch, { state, role: branchRole, queueName: "q", consumerName: "worker" });
  } catch (error) {
    if (error instanceof SkytoolsError) return undefined;
    throw error;
  }
}

function apply(world: BranchWorld, batch: OpenBatch, knowsTimes: boolean): BranchWorld {
  if (world.completed !== batch.tick - 1) return { ...world, worker: idle };
  const former = timeOf(world.applied, batch.tick - 1);
  if (knowsTimes && former !== batch.previousTime) return { ...world, worker: idle };
  assert.equal(former, batch.previousTime, "a batch behind another one than on its provider");
  return {
    ...world,
    applied: [...world.applied, batch.time],
    completed: batch.tick,
    worker: { kind: "committed", batch },
  };
}

function withTick(world: BranchWorld, time: string, worker: Doing): BranchWorld {
  return { ...world, ticks: [...world.ticks, { time, events: world.applied.length }], worker };
}

function finish(world: BranchWorld, batch: OpenBatch): BranchWorld {
  const provider = world[world.provider];
  const isOpen = provider.place === batch.tick - 1 && provider.batches[provider.place]?.time === batch.time;
  if (!isOpen) return { ...world, worker: idle };
  assert.ok(world.applied.includes(batch.time), "a batch is finished that was not applied");
  return { ...world, [world.provider]: { ...provider, place: batch.tick }, worker: idle };
}

/** What happens around the worker. */
function surroundings(world: BranchWorld): Move<BranchWorld>[] {
  const { root, sibling, left, worker, completed } = world;
  const moves: Move<BranchWorld>[] = [];
  if (left.ticks > 0) {
    const time = `${left.restores}.${root.batches.length + 1}`;
    const grown = { ...root, batches: [...root.batches, { time }] };
    const less = { ...left, ticks: left.ticks - 1 };
    moves.push({ name: "the root ticks", make: () => ({ ...world, root: grown, left: less }) });
  }
  const next = root.batches[sibling.batches.length];
  if (next !== undefined && sibling.batches.every(({ time }, at) => root.batches[at]?.time === time)) {
    const grown = { ...sibling, batches: [...sibling.batches, next] };
    moves.push({ name: "the sibling follows", make: () => ({ ...world, sibling: grown }) });
  }
  if (worker.kind !== "idle" && left.kills > 0) {
    const less = { ...left, kills: left.kills - 1 };
    moves.push({ name: "kill", make: () => ({ ...world, worker: idle, left: less }) });
  }
  if (worker.kind === "idle" && left.switches > 0) {
    const less = { ...left, switches: left.switches - 1 };
    for (const name of ["root", "sibling"] as const) {
      const provider = world[name];
      if (provider.batches.length < completed) continue;
      const registered = { ...provider, place: completed };
      moves.push({
        name: name === world.provider ? "rewind" : `read from the ${name}`,
        make: () => ({ ...world, [name]: registered, provider: name, left: less }),
      });
    }
  }
  if (left.restores > 0) {
    for (let kept = 0; kept < root.batches.length; kept += 1) moves.push(...restore(world, kept));
  }
  return moves;
}

/** The root's database as it was when it had so many batches; the branch was at any place of it then. */
function restore(world: BranchWorld, kept: number): Move<BranchWorld>[] {
  const { root, left } = world;
  const less = { ...left, restores: left.restores - 1 };
  const places = Array.from({ length: Math.min(kept, root.place) + 1 }, (_, place) => place);
  return places.map((place) => ({
    name: `the root is restored to tick ${kept}, with the branch at ${place}`,
    make: () => ({ ...world, root: { batches: root.batches.slice(0, kept), place }, left: less }),
  }));
}
