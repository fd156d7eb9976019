import assert from "node:assert/strict";
import type { Move } from "@skytools/testbed";
import type { CommandState, RunningCommand, TakeoverCommand } from "./command-moves.js";
import {
  type ModelNode,
  type ModelNodes,
  newestTickOf,
  positionOf,
  withNode,
  workerName,
  written,
} from "./set-world.js";
import { type Answering, mereAnswer, workerMove, workerMoves } from "./worker-moves.js";

/* A root that dies, and takeover by another node, killed and run again, while workers work and servers come and go. */

export interface TakeoverWorld extends CommandState {
  /** what may still happen */
  readonly left: {
    /** events that the first root still takes */
    readonly writes: number;
    /** the command is started */
    readonly starts: number;
    /** the command is killed, or gives up */
    readonly kills: number;
    /** a server goes down for a while */
    readonly downs: number;
    /** events that the new root takes */
    readonly newWrites: number;
  };
}

/** Which set it is. */
export interface Situation {
  readonly command: TakeoverCommand;
  readonly root: string;
  /** nodes on which takeover is run */
  readonly takers: readonly string[];
  /** nodes whose server may go down for a while */
  readonly shaky: readonly string[];
  readonly answering: Answering;
}

type Moves = Move<TakeoverWorld | Promise<TakeoverWorld | null>>[];

export function takeoverMoves(world: TakeoverWorld, situation: Situation): Moves {
  return world.nodes[situation.root]!.isUp ? beforeDeath(world, situation) : afterDeath(world, situation);
}

/** Nodes come as far as they come, and the last batch of each finds the root's death at any place of it. */
function beforeDeath(world: TakeoverWorld, { root, answering }: Situation): Moves {
  const { nodes, left } = world;
  if (left.writes > 0) {
    const less = { ...left, writes: left.writes - 1 };
    return [
      { name: `${root} takes an event`, make: () => ({ ...world, nodes: written(nodes, root), left: less }) },
    ];
  }
  const dead = withNode(nodes, root, { isUp: false });
  const moves: Moves = [];
  // whether the root knows what is finished does not matter any more
  if (Object.values(nodes).every(({ hand }) => hand?.kind !== "done")) {
    moves.push({ name: `${root} dies`, make: () => ({ ...world, nodes: dead }) });
  }
  for (const [name, { hand }] of Object.entries(nodes)) {
    if (hand?.kind === "applied") {
      moves.push({
        name: `${name}'s worker is killed`,
        make: () => ({ ...world, nodes: withNode(nodes, name, { hand: null }) }),
      });
    }
    const next = workerMove(nodes, name, answering);
    if (next !== undefined) moves.push({ name: next.name, make: () => ({ ...world, nodes: next.make() }) });
  }
  return moves;
}

function afterDeath(world: TakeoverWorld, situation: Situation): Moves {
  const { nodes } = world;
  const { answering } = situation;
  const answer = answering === "at once" ? mereAnswer(nodes) : undefined;
  if (answer !== undefined) return [{ name: answer.name, make: () => ({ ...world, nodes: answer.make() }) }];
  const working = workerMoves(nodes, answering);
  return [
    ...working.map(({ name, make }) => ({ name, make: () => ({ ...world, nodes: make() }) })),
    ...(world.command === null ? starts(world, situation) : commandMoves(world, world.command, situation)),
    ...serverMoves(world, situation),
    ...writes(world, situation),
  ];
}

/** The world with one thing less that may happen. */
function spending(world: TakeoverWorld, kind: keyof TakeoverWorld["left"]): TakeoverWorld {
  return { ...world, left: { ...world.left, [kind]: world.left[kind] - 1 } };
}

function starts(world: TakeoverWorld, { command, takers }: Situation): Moves {
  if (world.left.starts === 0) return [];
  return takers
    .filter((name) => world.nodes[name]!.isUp)
    .map((name) => ({
      name: `takeover on ${name}`,
      make: () => command.start(spending(world, "starts"), name),
    }));
}

function commandMoves(world: TakeoverWorld, running: RunningCommand, { command }: Situation): Moves {
  const next = { name: command.describe(running), make: () => command.next(world) };
  if (world.left.kills === 0) return [next];
  const less = spending(world, "kills");
  return [
    next,
    { name: "the command is killed", make: () => ({ ...less, command: null }) },
    { name: "the command gives up", make: () => command.giveUp(less) },
  ];
}

function serverMoves(world: TakeoverWorld, { shaky }: Situation): Moves {
  const { nodes, left } = world;
  return shaky.flatMap((name): Moves => {
    if (!nodes[name]!.isUp) {
      const up = withNode(nodes, name, { isUp: true });
      return [{ name: `${name} is back`, make: () => ({ ...world, nodes: up }) }];
    }
    if (left.downs === 0) return [];
    const down = withNode(nodes, name, { isUp: false, hand: null });
    return [{ name: `${name} goes down`, make: () => ({ ...spending(world, "downs"), nodes: down }) }];
  });
}

function writes(world: TakeoverWorld, { root }: Situation): Moves {
  const { nodes, left } = world;
  const promoted = Object.keys(nodes).find((name) => name !== root && nodes[name]!.type === "root");
  if (promoted === undefined || !nodes[promoted]!.isUp || left.newWrites === 0) return [];
  const make = () => ({ ...spending(world, "newWrites"), nodes: written(nodes, promoted) });
  return [{ name: `${promoted} takes an event`, make }];
}

/** What comes of moves that are called by their names. */
export async function follow(
  start: TakeoverWorld,
  names: readonly string[],
  situation: Situation,
): Promise<TakeoverWorld> {
  let world = start;
  for (const name of names) {
    const move = takeoverMoves(world, situation).find((each) => each.name === name);
    const reached = await move?.make();
    assert.ok(reached != null, `there is no move: ${name}`);
    world = reached;
  }
  return world;
}

/** Throws for a state that must not be. */
export function checkSet({ nodes }: TakeoverWorld, { root }: Situation): void {
  checkRoots(nodes, root);
  checkTicks(nodes);
  for (const [name, node] of Object.entries(nodes)) {
    assert.equal(new Set(node.events).size, node.events.length, `${name} has an event twice`);
    if (name !== root && node.type !== "root") {
      checkWay(nodes, name, root);
      checkRegistration(nodes, name, node, root);
    }
  }
}

function checkRoots(nodes: ModelNodes, root: string): void {
  const roots = Object.keys(nodes).filter((name) => nodes[name]!.type === "root" && name !== root);
  assert.ok(roots.length <= 1, `two roots: ${roots.join(", ")}`);
}

/** A tick id means one thing, wherever there is a tick or a position of that id. */
function checkTicks(nodes: ModelNodes): void {
  const meaning = new Map<number, string>();
  for (const [name, { ticks, events }] of Object.entries(nodes)) {
    for (const { id, time, events: count } of ticks) {
      const what = `${time}: ${events.slice(0, count).join(" ")}`;
      assert.equal(what, meaning.get(id) ?? what, `tick ${id} of ${name} is used twice`);
      meaning.set(id, what);
    }
  }
}

function checkWay(nodes: ModelNodes, name: string, root: string): void {
  const passed = [name];
  for (let node = nodes[name]!; node.type !== "root"; node = nodes[node.provider]!) {
    assert.ok(!passed.includes(node.provider), `${[...passed, node.provider].join(" reads from ")}`);
    if (node.provider === root) return;
    passed.push(node.provider);
  }
}

/** The provider keeps what a node still needs. */
function checkRegistration(nodes: ModelNodes, name: string, node: ModelNode, root: string): void {
  if (node.provider === root) return;
  const provider = nodes[node.provider]!;
  const place = provider.places[workerName(name)];
  assert.notEqual(place, undefined, `${name} is not registered on ${node.provider}`);
  assert.ok(
    place! <= node.completed,
    `${name} at ${node.completed} is registered at ${place} on ${node.provider}`,
  );
}

/** Brings everything to rest: servers are back, workers work, the command is run again until it changes nothing, and what it says to be
 * paused is resumed.
 * @param isKnown true for a state of which the rest is known: there it ends
 * @returns the states on the way */
export async function settle(
  start: TakeoverWorld,
  { command, root, takers }: Situation,
  isKnown: (world: TakeoverWorld) => boolean,
): Promise<TakeoverWorld[]> {
  const way: TakeoverWorld[] = [{ ...start, nodes: withAllUp(start.nodes, root) }];
  const world = () => way.at(-1)!;
  const taker = () => takers.find((name) => world().nodes[name]!.type === "root") ?? takers[0]!;
  const work = () => {
    const next = workOn(world().nodes);
    way.push(...next.map((nodes) => ({ ...world(), nodes })));
  };
  let paused: readonly string[] = [];
  for (let before = ""; ; ) {
    work();
    if (isKnown(world())) return way;
    if (world().command !== null) {
      const next = await command.next(world());
      way.push(JSON.stringify(next) === JSON.stringify(world()) ? await command.giveUp(world()) : next);
      continue;
    }
    const nodes = JSON.stringify(world().nodes);
    const started = nodes === before ? null : await command.start(world(), taker());
    if (started === null) break;
    before = nodes;
    way.push(started);
    paused = command.leftOut(started.command!).filter((name) => world().nodes[name]!.isPaused);
  }
  const resumed = { isPaused: false, isUptodate: false };
  const going = paused.reduce((nodes, name) => withNode(nodes, name, resumed), world().nodes);
  const isPromoted = going[taker()]!.type === "root";
  way.push({ ...world(), nodes: isPromoted ? written(going, taker()) : going });
  work();
  return way;
}

/** What the workers do until they come to rest: a batch that one refuses it would open for ever. */
function workOn(start: ModelNodes): ModelNodes[] {
  const seen = new Set([JSON.stringify(start)]);
  const way: ModelNodes[] = [];
  for (;;) {
    const next = workerMoves(way.at(-1) ?? start, "at once")
      .map(({ make }) => make())
      .find((nodes) => !seen.has(JSON.stringify(nodes)));
    if (next === undefined) return way;
    seen.add(JSON.stringify(next));
    way.push(next);
  }
}

function withAllUp(nodes: ModelNodes, root: string): ModelNodes {
  return Object.fromEntries(
    Object.entries(nodes).map(([name, node]) => [name, name === root ? node : { ...node, isUp: true }]),
  );
}

/** Throws where the takeover has not come to its end, or something is missing. */
export function checkRest({ nodes }: TakeoverWorld, { root, takers }: Situation): void {
  const promoted = takers.find((name) => nodes[name]!.type === "root");
  assert.ok(promoted !== undefined, "there is no root");
  const newRoot = nodes[promoted]!;
  for (const [name, node] of Object.entries(nodes)) {
    if (name === root || name === promoted) continue;
    const only = node.events.filter((event) => !newRoot.events.includes(event));
    if (only.length > 0) continue;
    assert.deepEqual(node.events, newRoot.events, `${name} is not as the new root`);
    assert.equal(positionOf(node), newestTickOf(newRoot)!.id, `${name} stands still`);
    assert.ok(!node.isPaused, `${name} is paused`);
    assert.notEqual(node.provider, root, `${name} reads from the dead root`);
  }
}
