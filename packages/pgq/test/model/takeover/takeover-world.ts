import assert from "node:assert/strict";
import type { Move } from "@skytools/testbed";
import type { CommandState, RunningCommand, TakeoverCommand } from "./command-moves.js";
import { type ModelNode, type ModelNodes, withNode, workerName, written } from "./set-world.js";
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
    /** the old root comes back, when nobody reads from it any more */
    readonly returns: number;
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
  /** what the old root has taken before it died */
  readonly oldEvents: readonly string[];
}

type Moves = Move<TakeoverWorld | Promise<TakeoverWorld | null>>[];

export function takeoverMoves(world: TakeoverWorld, situation: Situation): Moves {
  return isBeforeDeath(world, situation) ? beforeDeath(world, situation) : afterDeath(world, situation);
}

/** The old root comes back only when there is a new one. */
export function isBeforeDeath({ nodes }: TakeoverWorld, { root }: Situation): boolean {
  return nodes[root]!.isUp && newRootOf(nodes, root) === undefined;
}

/** The node that has become the root in the place of the old one. */
export function newRootOf(nodes: ModelNodes, root: string): string | undefined {
  return Object.keys(nodes).find((name) => name !== root && nodes[name]!.type === "root");
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

function starts(world: TakeoverWorld, { command, takers, root }: Situation): Moves {
  if (world.left.starts === 0) return [];
  return [...takers, root]
    .filter((name) => world.nodes[name]!.isUp)
    .map((name) => ({
      name: `${name === root ? "resurrect" : "takeover"} on ${name}`,
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

function serverMoves(world: TakeoverWorld, situation: Situation): Moves {
  return [...rootReturns(world, situation), ...comingAndGoing(world, situation)];
}

function rootReturns(world: TakeoverWorld, { root }: Situation): Moves {
  const { nodes, left, command } = world;
  const isNeeded = Object.keys(nodes).some((name) => name !== root && nodes[name]!.provider === root);
  if (nodes[root]!.isUp || left.returns === 0 || command !== null || isNeeded) return [];
  const back = withNode(nodes, root, { isUp: true });
  return [{ name: `${root} is back`, make: () => ({ ...spending(world, "returns"), nodes: back }) }];
}

function comingAndGoing(world: TakeoverWorld, { shaky }: Situation): Moves {
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
  const promoted = newRootOf(nodes, root);
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
