import { getCascadedConsumers } from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { getTableStates, type ReplicatedTable } from "../londiste-api.ts";
import { copyConsumerName } from "../names.ts";
import { grantStep, heldTick, longestPauseMs } from "./hand-over-rules.ts";
import { moveTable } from "./move-table.ts";
import { needsCopyProcess } from "./table-state.ts";

const pollMs = 10;
/** After a fruitless wait the worker replays this many times as long before it waits again. */
const restFactor = 10;
/** How often the worker leaves a copy process that has asked the chance to meet it between batches, before it stops for it: it may
 * have to let others go first. */
const maxMisses = 12;

/** Where the worker stands. */
export interface WorkerPosition {
  readonly target: Database;
  readonly queueName: string;
  readonly workerName: string;
  readonly completedTick: bigint;
  /** end of the batch that is open and not applied; undefined when the queue has no more batches */
  readonly nextTick: bigint | undefined;
  /** how long the worker's last batch took */
  readonly batchMs: number;
}

interface Attempts {
  misses: number;
  failures: number;
  notBefore: number;
}

/** The worker's side of taking tables over from their copy processes; the protocol is in table-state-machine.ts. As a rule a copy
 * process that stands where the worker stands takes its table over by itself, and nothing waits for it. The worker stops only
 * for those that keep missing it, and for a bounded time. */
export class HandOver {
  readonly #job: Job;
  readonly #nudge: (table: string) => void;
  readonly #attempts = new Map<string, Attempts>();
  #isNear = false;

  /** @param nudge makes the table's copy process look at once */
  constructor(job: Job, nudge: (table: string) => void) {
    this.#job = job;
    this.#nudge = nudge;
  }

  /** A copy process that did not take its grant was last seen where the worker stands, or behind: by single ticks the two come together.
   * Most need no such thing: they apply themselves what a long batch of the worker's has put between. */
  get isNear(): boolean {
    return this.#isNear;
  }

  /** Grants what it is time to grant, waits, withdraws what was not taken. No table is in do-sync afterwards.
   * @param running tables whose copy process is alive
   * @returns true when states have changed */
  async run(
    at: WorkerPosition,
    tables: readonly ReplicatedTable[],
    running: ReadonlySet<string>,
  ): Promise<boolean> {
    this.#forgetAllBut(tables);
    const stale = tables.filter((table) => table.isLocal && table.state.kind === "do-sync");
    const ready = await this.#ready(at, tables, running);
    if (stale.length === 0 && ready.length === 0) return false;
    const tick = heldTick({ position: at.completedTick, batchTick: at.nextTick });
    // One by one: who removes the node, or several tables, has their rows in another order.
    for (const table of ready) {
      await moveTable(at.target, this.#job.log, { ...move(at, table), event: "grant", tick });
      await at.target.commit();
    }
    const waiting = new Set([...stale, ...ready].map((table) => table.name));
    for (const name of waiting) this.#nudge(name);
    const pauses = [...waiting].map((name) =>
      longestPauseMs({ failures: this.#of(name).failures, batchMs: at.batchMs }),
    );
    const pauseMs = Math.max(...pauses);
    const untaken = await this.#waitForCopies(at, waiting, pauseMs);
    for (const table of untaken) {
      this.#failed(table, pauseMs);
      await moveTable(at.target, this.#job.log, { queueName: at.queueName, table, event: "withdraw" });
      await at.target.commit();
    }
    return true;
  }

  async #ready(
    at: WorkerPosition,
    tables: readonly ReplicatedTable[],
    running: ReadonlySet<string>,
  ): Promise<ReplicatedTable[]> {
    this.#isNear = false;
    const asking = tables.filter(
      (table) => table.isLocal && table.state.kind === "wanna-sync" && running.has(table.name),
    );
    if (asking.length === 0) return [];
    const consumers = await getCascadedConsumers(at.target, at.queueName);
    await at.target.commit();
    const positions = new Map(consumers.map((consumer) => [consumer.consumerName, consumer.lastTick]));
    return asking.filter(({ name, state }) => {
      const copyPosition = positions.get(copyConsumerName(at.workerName, name));
      const step = grantStep({ state, copyPosition, position: at.completedTick, batchTick: at.nextTick });
      if (step === "no") return false;
      const attempts = this.#of(name);
      if (attempts.failures > 0) this.#isNear = true;
      if (attempts.notBefore > performance.now()) return false;
      this.#nudge(name);
      attempts.misses += 1;
      return attempts.misses > maxMisses;
    });
  }

  /** @returns the tables that are still in do-sync */
  async #waitForCopies(
    at: WorkerPosition,
    waiting: ReadonlySet<string>,
    pauseMs: number,
  ): Promise<Set<string>> {
    const deadline = performance.now() + pauseMs;
    for (;;) {
      const states = await getTableStates(at.target, at.queueName, [...waiting]);
      await at.target.commit();
      const untaken = [...states].filter(([, state]) => state.kind === "do-sync").map(([name]) => name);
      if (untaken.length === 0 || performance.now() >= deadline || this.#job.isStopping)
        return new Set(untaken);
      await this.#job.sleep(pollMs);
    }
  }

  #forgetAllBut(tables: readonly ReplicatedTable[]): void {
    const copied = new Set(tables.filter(({ state }) => needsCopyProcess(state)).map(({ name }) => name));
    for (const name of this.#attempts.keys()) if (!copied.has(name)) this.#attempts.delete(name);
  }

  #of(name: string): Attempts {
    let attempts = this.#attempts.get(name);
    if (attempts === undefined) {
      attempts = { misses: 0, failures: 0, notBefore: 0 };
      this.#attempts.set(name, attempts);
    }
    return attempts;
  }

  /** Waits longer the next time, so that a copy process which needs long for its part of a batch gets there at last. */
  #failed(name: string, pauseMs: number): void {
    const attempts = this.#of(name);
    attempts.notBefore = performance.now() + pauseMs * restFactor;
    attempts.failures += 1;
    attempts.misses = 0;
  }
}

function move(at: WorkerPosition, table: ReplicatedTable) {
  return { queueName: at.queueName, table: table.name };
}
