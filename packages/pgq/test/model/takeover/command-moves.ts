import assert from "node:assert/strict";
import { type Job, type Log, SkytoolsError } from "@skytools/skytools";
import type { CascadeAdmin } from "#src/cascade/cascade-admin.js";
import { Patience } from "#src/cascade/plan/patience.js";
import { leftOut, type Plan, type PlanStep, refusals, stepId } from "#src/cascade/plan/plan.js";
import type { PlanContext } from "#src/cascade/plan/plan-context.js";
import { undoSteps } from "#src/cascade/plan/plan-run.js";
import { resurrectPlan } from "#src/cascade/plan/resurrect/resurrect-plan.js";
import { readSetState } from "#src/cascade/plan/set-state.js";
import { type TakeoverOptions, takeoverPlan } from "#src/cascade/plan/takeover-plan.js";
import { NodeDatabases, type SetDatabases } from "./node-database.js";
import type { ServerFaults } from "./node-functions.js";
import { type ModelNodes, withNode, workerName } from "./set-world.js";
import { type Answering, workerMove } from "./worker-moves.js";

/** A takeover that runs. */
export interface RunningCommand {
  /** the node on which it was started */
  readonly on: string;
  /** which of all plans that were ever made */
  readonly plan: number;
  /** asking: workers have been asked whether they run. A number: the step that is next */
  readonly at: "asking" | number;
  /** steps that it has done itself */
  readonly done: readonly number[];
}

/** What a model looks at: the nodes, what is set aside, and the command. */
export interface CommandState {
  readonly nodes: ModelNodes;
  readonly setAside: readonly string[];
  readonly command: RunningCommand | null;
}

/** What of the code can be made wrong, to see that it is found. */
export interface Faults extends ServerFaults {
  /** steps that are left out */
  readonly leavesOut?: (step: PlanStep) => boolean;
  /** every node that does not answer is said to be dead, whatever it is */
  readonly takesSilentForDead?: boolean;
}

/** Somebody is waited for. */
class Waiting extends Error {}

const silence: Log = {
  level: "fatal",
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
  child: () => silence,
};

/** Waits end at once: who is waited for has to move first. */
class NoPatience extends Patience {
  override async until(isMet: () => Promise<boolean>): Promise<void> {
    if (!(await isMet())) throw new Waiting();
  }
}

/** Takeover as it is, and on the old root resurrect: plans and steps and what is undone after a failure, on nodes of the model. */
export class TakeoverCommand {
  readonly #faults: Faults;
  readonly #options: Omit<TakeoverOptions, "takerName">;
  readonly #answering: Answering;
  readonly #databases: SetDatabases;
  readonly #plans: { readonly plan: Plan; readonly context: PlanContext }[] = [];
  /** by what they were made from; null: refused */
  readonly #numbers = new Map<string, number | null>();
  #setAside: readonly string[] = [];

  constructor(
    options: Omit<TakeoverOptions, "takerName">,
    answering: Answering,
    faults: Faults = {},
    databases: SetDatabases = new NodeDatabases(faults),
  ) {
    this.#options = options;
    this.#answering = answering;
    this.#faults = faults;
    this.#databases = databases;
  }

  /** What the command will do next, for whoever reads a way. */
  describe({ on, plan, at }: RunningCommand): string {
    if (at === "asking") return `the command on ${on} has the answers of workers`;
    const step = this.#plans[plan]!.plan.steps[at];
    return step === undefined
      ? `the command on ${on} ends`
      : `the command on ${on} goes on at ${stepId(step)}`;
  }

  /** Nodes of which it says that they will not be as they should. */
  leftOut({ plan }: RunningCommand): string[] {
    return leftOut(this.#plans[plan]!.plan).map(({ nodeName }) => nodeName);
  }

  /** @returns null where it is refused */
  async start<World extends CommandState>(world: World, on: string): Promise<World | null> {
    // what workers have in hand is not seen
    const key = JSON.stringify([on, world.nodes], (name, value: unknown) => (name === "hand" ? null : value));
    let plan = this.#numbers.get(key);
    if (plan === undefined) {
      plan = await this.#makePlan(world.nodes, on);
      this.#numbers.set(key, plan);
    }
    if (plan === null) return null;
    const { workers } = this.#plans[plan]!.plan;
    const nodes = asked(world.nodes, workers);
    if (this.#answering === "later")
      return { ...world, nodes, command: { on, plan, at: "asking", done: [] } };
    const names = workers.map(({ nodeName }) => nodeName).filter((name) => nodes[name]!.isUp);
    return { ...world, nodes: names.reduce(untilAnswer, nodes), command: { on, plan, at: 0, done: [] } };
  }

  async #makePlan(nodes: ModelNodes, on: string): Promise<number | null> {
    const admin = this.#adminOn(on);
    const context: PlanContext = { admin, patience: new NoPatience(admin.job, 0) };
    this.#databases.nodes = nodes;
    try {
      const set = await readSetState(admin, this.#saidDead(nodes));
      const plan =
        on === this.#options.oldName
          ? await resurrectPlan(context, set, { dumpFile: "", isMerging: false, statistics: new Map() })
          : await takeoverPlan(context, set, { ...this.#options, takerName: undefined });
      if (refusals(plan).length > 0) return null;
      const steps = plan.steps.filter((step) => this.#faults.leavesOut?.(step) !== true);
      return this.#plans.push({ plan: { ...plan, steps }, context }) - 1;
    } catch (error) {
      if (error instanceof SkytoolsError) return null;
      throw error;
    }
  }

  /** The administrator says of nodes that do not answer that they are dead, where they are not the root. */
  #saidDead(nodes: ModelNodes): string[] {
    return Object.keys(nodes).filter(
      (name) =>
        !nodes[name]!.isUp && (nodes[name]!.type !== "root" || this.#faults.takesSilentForDead === true),
    );
  }

  #adminOn(on: string): CascadeAdmin {
    const job: Pick<Job, "log" | "databases" | "isStopping" | "config"> = {
      log: silence,
      isStopping: false,
      databases: this.#databases.of(on) as Job["databases"],
      config: { getOr: (_key: string, otherwise: string) => otherwise } as Job["config"],
    };
    return {
      job: job as Job,
      queueName: "q",
      databaseKey: "db",
      workerName: workerName(on),
      modules: [],
      hooks: {
        leafAhead: {
          setAside: async () => new Set(),
          startAnew: async (leaf) => this.#copyAnew(leaf.label, on),
        },
      },
    };
  }

  /** The next step that is not done yet; of one that waits, what it does before. */
  async next<World extends CommandState>(world: World): Promise<World> {
    const command = world.command!;
    const { plan, context } = this.#plans[command.plan]!;
    if (command.at === "asking")
      return haveAnswered(world.nodes, plan) ? { ...world, command: { ...command, at: 0 } } : world;
    let at = command.at;
    this.#databases.nodes = world.nodes;
    this.#setAside = world.setAside;
    const reached = (done = command.done) => ({
      ...world,
      nodes: this.#databases.nodes,
      setAside: this.#setAside,
      command: { ...command, at, done },
    });
    try {
      while (await plan.steps[at]?.isDone()) at += 1;
      const step = plan.steps[at];
      if (step === undefined) return { ...world, command: null };
      if (step.name === "set-aside") this.#writeAside(step.node, command.on);
      else await step.run();
      at += 1;
      return reached([...command.done, at - 1]);
    } catch (error) {
      if (error instanceof Waiting) return reached();
      if (error instanceof SkytoolsError) return this.#fail(reached(), plan, context);
      throw error;
    }
  }

  /** The command's patience is over, or something has failed: it takes back what can be taken back. */
  async giveUp<World extends CommandState>(world: World): Promise<World> {
    const { plan, context } = this.#plans[world.command!.plan]!;
    this.#databases.nodes = world.nodes;
    return this.#fail(world, plan, context);
  }

  async #fail<World extends CommandState>(world: World, plan: Plan, { admin }: PlanContext): Promise<World> {
    const { at, done } = world.command!;
    if (at === "asking") return { ...world, command: null };
    const steps = done.map((index) => plan.steps[index]!);
    await undoSteps(admin, steps, plan.steps[at]!);
    return { ...world, nodes: this.#databases.nodes, command: null };
  }

  /** In place of the file: what a leaf that is ahead has, or a root that comes back, and the new root has not. */
  #writeAside(name: string, on: string): void {
    const { nodes } = this.#databases;
    // a leaf is compared with the node that is about to be promoted
    const newRoot =
      name === on ? Object.keys(nodes).find((each) => each !== on && nodes[each]!.type === "root")! : on;
    const own = nodes[name]!.events.filter((event) => !nodes[newRoot]!.events.includes(event));
    this.#setAside = [...new Set([...this.#setAside, ...own])].toSorted();
  }

  /** The leaf gets what the new root has, in place of its own. */
  #copyAnew(leaf: string, newRoot: string): void {
    const { nodes } = this.#databases;
    const { events } = nodes[newRoot]!;
    const dropped = nodes[leaf]!.events.filter((event) => !events.includes(event));
    const silently = dropped.filter((event) => !this.#setAside.includes(event));
    assert.deepEqual(silently, [], `what only ${leaf} has is dropped`);
    this.#databases.nodes = withNode(nodes, leaf, { events });
  }
}

function asked(nodes: ModelNodes, workers: Plan["workers"]): ModelNodes {
  return workers.reduce(
    (all, { nodeName }) => (all[nodeName]!.isUp ? withNode(all, nodeName, { isUptodate: false }) : all),
    nodes,
  );
}

/** A worker comes to the end of the batch that it has in hand, and says so. */
function untilAnswer(start: ModelNodes, name: string): ModelNodes {
  let nodes = start;
  while (!nodes[name]!.isUptodate) nodes = workerMove(nodes, name, "at once")!.make();
  return nodes;
}

function haveAnswered(nodes: ModelNodes, { workers }: Plan): boolean {
  return workers.every(({ nodeName }) => nodes[nodeName]!.isUp && nodes[nodeName]!.isUptodate);
}
