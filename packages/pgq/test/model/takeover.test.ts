import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Cluster, type Exploration, explore, startCluster } from "@skytools/testbed";
import { stepId } from "#src/cascade/plan/plan.js";
import { type Faults, TakeoverCommand } from "./takeover/command-moves.js";
import { RealSet, visible } from "./takeover/real-set.js";
import { newNodes } from "./takeover/set-world.js";
import { checkRest, settle } from "./takeover/takeover-rest.js";
import {
  checkSet,
  follow,
  isBeforeDeath,
  type Situation,
  type TakeoverWorld,
  takeoverMoves,
} from "./takeover/takeover-world.js";

const deadRoot = {
  oldName: "r",
  isAll: false,
  isDeadRoot: true,
  isDeadBranch: false,
  isUndo: false,
  leavesAhead: false,
  isForced: false,
};

const twoBranches = newNodes({ r: ["root", "r"], a: ["branch", "r"], b: ["branch", "r"] });
const branchAndLeaf = newNodes({ r: ["root", "r"], a: ["branch", "r"], l: ["leaf", "r"] });
const threeReaders = newNodes({ r: ["root", "r"], a: ["branch", "r"], b: ["branch", "r"], l: ["leaf", "r"] });

const nothingHappens = { writes: 1, starts: 1, kills: 0, downs: 0, newWrites: 0, returns: 0 };

function batchOf(name: string): string[] {
  return [`${name} opens a batch`, `${name} applies`, `${name} ticks`, `${name} finishes`];
}

/** The old root has one event that nobody has seen. */
const firstOfTwo = ["r takes an event", "r takes an event", ...batchOf("a")];

interface Search extends Partial<Omit<Situation, "command" | "root">> {
  readonly nodes: TakeoverWorld["nodes"];
  readonly left: TakeoverWorld["left"];
  /** moves by which it begins */
  readonly begin?: readonly string[];
  readonly faults?: Faults;
}

/** Reaches every state, checks each, and whether all comes to a good end from there. */
async function search({ nodes, left, faults, begin = [], ...rest }: Search): Promise<Exploration> {
  const { answering = "at once", takers = ["a"], shaky = [] } = rest;
  const command = new TakeoverCommand(deadRoot, answering, faults);
  const oldEvents = Array.from({ length: left.writes }, (_each, index) => `r${index + 1}`);
  const situation: Situation = { command, root: "r", takers, shaky, answering, oldEvents };
  const good = new Set<string>();
  const keyOf = (world: TakeoverWorld) => JSON.stringify([world.nodes, world.command, world.setAside]);
  const isGood = (world: TakeoverWorld) => good.has(keyOf(world));
  return explore<TakeoverWorld>(
    await follow({ nodes, left, setAside: [], command: null }, begin, situation),
    (world) => takeoverMoves(world, situation),
    async (world) => {
      checkSet(world, situation);
      if (isBeforeDeath(world, situation) || isGood(world)) return;
      const way = await settle(world, situation, isGood);
      for (const each of way) checkSet(each, situation);
      if (!isGood(way.at(-1)!)) checkRest(way.at(-1)!, situation);
      for (const each of [world, ...way]) good.add(keyOf(each));
    },
  );
}

describe("every state of the takeover of a dead root", () => {
  const searches: readonly [string, number, Search][] = [
    [
      "by either of two branches, killed anywhere and run again",
      10_000,
      {
        nodes: twoBranches,
        takers: ["a", "b"],
        left: { ...nothingHappens, starts: 2, kills: 1, newWrites: 1 },
      },
    ],
    [
      "with a leaf that may be ahead of every queue",
      1000,
      { nodes: branchAndLeaf, left: { ...nothingHappens, starts: 2, kills: 1, newWrites: 1 } },
    ],
    ["with nodes that have come three different ways", 1000, { nodes: threeReaders, left: nothingHappens }],
    [
      "with a node whose server goes down and comes back at any time",
      5000,
      {
        nodes: twoBranches,
        shaky: ["b"],
        left: { ...nothingHappens, starts: 2, downs: 1, newWrites: 1 },
      },
    ],
    [
      "with a node that was down meanwhile and is ahead, and others that need the command again",
      500,
      {
        nodes: threeReaders,
        shaky: ["b"],
        begin: ["r takes an event", ...batchOf("b"), "r dies", "b goes down"],
        left: { ...nothingHappens, starts: 2, kills: 1, downs: 1 },
      },
    ],
    [
      "with a new root that goes down itself, when the other branch is to take over",
      5000,
      {
        nodes: twoBranches,
        takers: ["a", "b"],
        shaky: ["a"],
        left: { ...nothingHappens, starts: 2, downs: 1 },
      },
    ],
    [
      "with a new root that goes down together with the command, when the other branch is to take over",
      1000,
      {
        nodes: twoBranches,
        takers: ["a", "b"],
        shaky: ["a"],
        begin: ["r takes an event", ...batchOf("a"), "r dies"],
        left: { ...nothingHappens, starts: 2, kills: 1, downs: 1 },
      },
    ],
    [
      "with the old root back again, and resurrected",
      500,
      {
        nodes: branchAndLeaf,
        begin: [...firstOfTwo, "r dies"],
        left: { ...nothingHappens, writes: 2, starts: 3, kills: 1, newWrites: 1, returns: 1 },
      },
    ],
    [
      "with workers that tell what they have seen when it is no longer so",
      1000,
      { nodes: branchAndLeaf, answering: "later", left: { ...nothingHappens, newWrites: 1 } },
    ],
  ];
  for (const [what, leastStates, options] of searches) {
    it(`is without loss and comes to its end: ${what}`, async () => {
      const { states, failure } = await search(options);
      assert.equal(failure, undefined);
      assert.ok(states > leastStates, `${states} states`);
    });
  }

  const without = (name: string): Faults => ({ leavesOut: (step) => step.name === name });
  const broken: readonly [string, RegExp, Partial<Search> & Pick<Search, "nodes">, Faults][] = [
    [
      "if what only the old root has were not set aside",
      /events of the old root are dropped/,
      {
        nodes: branchAndLeaf,
        begin: [...firstOfTwo, "r dies"],
        left: { ...nothingHappens, writes: 2, starts: 2, returns: 1 },
      },
      without("set-aside"),
    ],
    [
      "if the new root went on counting where it is",
      /tick 2 of \w is used twice/,
      { nodes: twoBranches },
      { keepsTickIds: true },
    ],
    [
      "if a node were registered at the newest tick",
      /b is not as the new root|b at 1 is registered at/,
      { nodes: twoBranches },
      { registersAtEnd: true },
    ],
    [
      "if what only a leaf has were not set aside",
      /what only l has is dropped/,
      { nodes: branchAndLeaf },
      without("set-aside"),
    ],
    [
      "if a branch were not registered before the promotion",
      /b is not registered on a/,
      { nodes: twoBranches },
      without("subscribe"),
    ],
    [
      "if a node that does not answer, and is the root by now, were taken for dead",
      /two roots: a, b/,
      {
        nodes: twoBranches,
        takers: ["a", "b"],
        shaky: ["a"],
        begin: ["r takes an event", ...batchOf("a"), "r dies"],
        left: { ...nothingHappens, starts: 2, kills: 1, downs: 1 },
      },
      { takesSilentForDead: true },
    ],
    [
      "if the new root did not get what another branch has",
      /there is no root/,
      { nodes: twoBranches },
      { leavesOut: (step) => stepId(step) === "switch-provider@a" },
    ],
  ];
  for (const [what, message, options, faults] of broken) {
    it(`would not be ${what}`, async () => {
      const { failure } = await search({ left: { ...nothingHappens, newWrites: 1 }, ...options, faults });
      assert.match(failure ?? "", message);
    });
  }
});

describe("what the servers do in a takeover", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());

  /** Always the same numbers. */
  function numbers(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >>> 8) % below;
    };
  }

  /** A walk through the model, and the same on servers. @returns the moves */
  async function walk(seed: number): Promise<string[]> {
    await using real = await RealSet.create(cluster, threeReaders);
    const options = { ...deadRoot, leavesAhead: true };
    const command = new TakeoverCommand(options, "at once");
    const onServers = new TakeoverCommand(options, "at once", {}, real);
    const left = { writes: 2, starts: 5, kills: 2, downs: 0, newWrites: 2, returns: 1 };
    let world: TakeoverWorld = { nodes: threeReaders, left, setAside: [], command: null };
    const situation = (by: TakeoverCommand): Situation => ({
      command: by,
      root: "r",
      takers: ["a", "b"],
      shaky: [],
      answering: "at once",
      oldEvents: ["r1", "r2"],
    });
    const choose = numbers(seed);
    const way: string[] = [];
    for (;;) {
      const moves = takeoverMoves(world, situation(command));
      // seldom enough there is a way to them
      const rare = moves.findIndex(({ name }) => !way.includes(name) && /^r is back|^resurrect/.test(name));
      const at = rare < 0 ? choose(moves.length) : rare;
      const move = moves[at];
      if (move === undefined) return way;
      way.push(move.name);
      real.nodes = world.nodes;
      const done = await takeoverMoves(world, situation(onServers))[at]!.make();
      const reached = await move.make();
      assert.deepEqual(done?.command, reached?.command, way.join(", "));
      if (reached === null) return way;
      const isStep = /^the command (?:on|gives up)/.test(move.name);
      if (!isStep) await real.play(world.nodes, reached.nodes);
      for (const [name, node] of Object.entries(reached.nodes)) {
        if (!isStep && node === world.nodes[name]) continue;
        assert.deepEqual(await real.look(name, node), visible(node), `${name}: ${way.join(", ")}`);
      }
      world = reached;
    }
  }

  it("is what the model does, move for move", async () => {
    const made = new Set<string>();
    for (let seed = 1; seed <= 6; seed += 1) for (const move of await walk(seed)) made.add(move);
    for (const move of ["the command is killed", "the command gives up", "resurrect on r"]) {
      assert.ok(made.has(move), move);
    }
  });
});
