import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { copyStep, grantStep, heldTick } from "#src/replay/hand-over-rules.js";
import {
  formatTableState,
  parseTableState,
  type TableState,
  type TableStateKind,
} from "#src/replay/table-state.js";
import {
  eventActor,
  nextState,
  stateOwner,
  type TableEvent,
  transitions,
} from "#src/replay/table-state-machine.js";

const kinds = Object.keys(transitions) as TableStateKind[];
const events = Object.keys(eventActor) as TableEvent[];

test("every transition out of a state is made by its owner or the operator", () => {
  for (const kind of kinds) {
    for (const event of events) {
      if ("refused" in transitions[kind][event] || eventActor[event] === "operator") continue;
      // A copy process may give up whatever it was about to do, and the worker may take back what it granted, or see a script
      // change the rows.
      const isExempt =
        event === "place-lost" || event === "rows-changed" || (kind === "do-sync" && event === "withdraw");
      if (!isExempt) assert.equal(eventActor[event], stateOwner[kind], `${kind} ${event}`);
    }
  }
});

test("stored states are read and written alike; `?` is an old ok; others are refused", () => {
  for (const stored of [
    null,
    "in-copy",
    "catching-up",
    "ok",
    "wanna-sync:7",
    "do-sync:9223372036854775807",
  ]) {
    assert.equal(formatTableState(parseTableState(stored)), stored);
  }
  assert.deepEqual(parseTableState("?"), { kind: "ok" });
  for (const bad of ["", "OK", "wanna-sync", "do-sync:", "do-sync:x"]) {
    assert.throws(() => parseTableState(bad), /Bad table state/);
  }
});

/* A model of the two processes. Tick n ends batch n, which holds one event of the table, n. Positions, state and the table's
 * content are in the database; what a process remembers from one step to the next is lost when it is killed. */
class Model {
  state: TableState = { kind: "none" };
  hasSnapshot = false;
  newestTick = 1n;
  workerPosition = 0n;
  copyPosition = 0n;
  /** newest event in the copied rows; events up to it are filtered while the snapshot is there */
  snapshotEvent = 0n;
  content: bigint[] = [];
  #worker: { batch: bigint | undefined; isTableOk: boolean } | undefined;
  #copyDecision: "apply" | "take-over" | undefined;

  #move(event: TableEvent, tick?: bigint): boolean {
    const next = nextState(this.state, event, tick);
    if (next.isMove) this.state = next.state;
    return next.isMove;
  }

  tick(): void {
    this.newestTick += 1n;
  }

  killWorker(): void {
    this.#worker = undefined;
  }

  killCopy(): void {
    this.#copyDecision = undefined;
  }

  /** The worker looks at its next batch and grants. */
  workerLooks(): void {
    const batchTick = this.workerPosition < this.newestTick ? this.workerPosition + 1n : undefined;
    this.#worker = undefined;
    if (this.state.kind === "none") this.#move("start-copy");
    const view = {
      state: this.state,
      copyPosition: this.copyPosition,
      position: this.workerPosition,
      batchTick,
    };
    if (grantStep(view) !== "no") this.#move("grant", heldTick(view));
  }

  /** The worker has waited, takes back what was not taken, and reads the states. */
  workerWithdraws(): void {
    this.#move("withdraw");
    const batch = this.workerPosition < this.newestTick ? this.workerPosition + 1n : undefined;
    this.#worker = { batch, isTableOk: this.state.kind === "ok" };
  }

  workerApplies(): void {
    if (this.#worker?.batch === undefined) return;
    if (this.#worker.isTableOk) this.content.push(this.#worker.batch);
    this.workerPosition = this.#worker.batch;
    this.#worker = undefined;
  }

  /** One look of the copy process; applying and taking over happen in a later transaction. */
  copyLooks(): void {
    this.#copyDecision = undefined;
    if (this.state.kind === "in-copy") {
      this.copyPosition = this.newestTick;
      this.snapshotEvent = this.newestTick + 1n;
      this.content = [];
      for (let event = 1n; event <= this.snapshotEvent; event += 1n) this.content.push(event);
      this.hasSnapshot = true;
      this.#move("data-copied");
      return;
    }
    const batchTick = this.copyPosition < this.newestTick ? this.copyPosition + 1n : undefined;
    const step = copyStep({
      state: this.state,
      hasSnapshot: this.hasSnapshot,
      position: this.copyPosition,
      workerPosition: this.workerPosition,
      batchTick,
    });
    if (step === "ask") this.#move("caught-up", batchTick ?? this.copyPosition + 1n);
    if (step === "apply" || step === "take-over") this.#copyDecision = step;
  }

  copyActs(): void {
    const decision = this.#copyDecision;
    this.#copyDecision = undefined;
    if (decision === "apply") {
      const event = this.copyPosition + 1n;
      if (!this.hasSnapshot || event > this.snapshotEvent) this.content.push(event);
      this.copyPosition = event;
      if (event >= this.snapshotEvent) this.hasSnapshot = false;
    }
    if (decision === "take-over" && this.copyPosition === this.workerPosition) this.#move("take-over");
  }

  resync(): void {
    // Whoever resyncs ends the copy process that may be under way: its lock keeps a second one from starting.
    this.#copyDecision = undefined;
    this.#move("resync");
    this.hasSnapshot = false;
  }

  check(): void {
    for (let nr = 0; nr < this.content.length; nr += 1) {
      assert.equal(this.content[nr], BigInt(nr + 1), `events in the table: ${this.content.join(" ")}`);
    }
    if (this.state.kind === "ok")
      assert.ok(BigInt(this.content.length) >= this.workerPosition, "an event is lost");
  }
}

const actions = [
  "tick",
  "killWorker",
  "killCopy",
  "workerLooks",
  "workerWithdraws",
  "workerApplies",
  "copyLooks",
  "copyActs",
  "resync",
] as const;
type Action = (typeof actions)[number];

const likely: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Action>("tick") },
  { weight: 1, arbitrary: fc.constantFrom<Action>("killWorker", "killCopy") },
  { weight: 8, arbitrary: fc.constantFrom<Action>("workerLooks", "workerWithdraws", "workerApplies") },
  { weight: 8, arbitrary: fc.constantFrom<Action>("copyLooks", "copyActs") },
);

/** A worker that starts, or goes on, always looks before it applies, and never applies while a table is in do-sync. */
function play(schedule: readonly Action[]): Model {
  const model = new Model();
  for (const action of schedule) {
    model[action]();
    model.check();
  }
  return model;
}

test("whatever the order of steps and kills, no event of the table is lost, doubled or out of order", () => {
  let handedOver = 0;
  fc.assert(
    fc.property(fc.array(likely, { minLength: 20, maxLength: 300, size: "max" }), (schedule) => {
      if (play(schedule).state.kind === "ok") handedOver += 1;
    }),
    { numRuns: 1500 },
  );
  assert.ok(handedOver > 500, `only ${handedOver} schedules came to an end`);
});

test("the same with tables that are copied anew in between", () => {
  const withResync = fc.oneof(
    { weight: 30, arbitrary: likely },
    { weight: 1, arbitrary: fc.constant<Action>("resync") },
  );
  fc.assert(
    fc.property(
      fc.array(withResync, { minLength: 50, maxLength: 300, size: "max" }),
      (schedule) => void play(schedule),
    ),
    { numRuns: 300 },
  );
});

test("from wherever the processes were killed, they come to an end by being started again", () => {
  fc.assert(
    fc.property(fc.array(likely, { maxLength: 100, size: "max" }), (schedule) => {
      const model = play(schedule);
      model.killWorker();
      model.killCopy();
      for (let round = 0; round < 400 && model.state.kind !== "ok"; round += 1) {
        if (round % 7 === 0 && round < 200) model.tick();
        model.workerLooks();
        model.copyLooks();
        model.copyActs();
        model.workerWithdraws();
        model.workerApplies();
        model.check();
      }
      assert.equal(model.state.kind, "ok");
    }),
    { numRuns: 500 },
  );
});
