import type { Database, Job } from "@skytools/skytools";
import { tablesInCopy } from "../copy/copy-lock.ts";
import { getTableStates, localCopyError, type ReplicatedTable } from "../londiste-api.ts";
import { CopierProcess } from "./copier-process.ts";
import { CopyRoom } from "./copy-room.ts";
import { dropForeignKeys } from "./foreign-keys.ts";
import { moveTable } from "./move-table.ts";
import { needsCopyProcess } from "./table-state.ts";

const firstRetryMs = 250;
const retryGrowth = 4;
/** How often the provider is asked whether a table is ready to be copied. */
const providerPollMs = 1000;
/** How often locks are tried that somebody holds. */
const lockRetryMs = 1000;
/** How long, once in that time whatever the number of tables: replay waits meanwhile. */
const lockWaitMs = 100;
const shortestLockWaitMs = 1;
/** How long one round spends on tables whose copies are to begin: replay waits meanwhile. */
const startingMs = 20;

interface CopyRecord {
  copier: CopierProcess | undefined;
  /** the copier was told to end it, because the table is not to be copied, or from the start */
  isUnwanted: boolean;
  /** A copier has died with it. The next one has this table alone: if the table is what it dies of, no other goes with it. */
  isSuspect: boolean;
  failures: number;
  notBefore: number;
  /** not yet stored in the database */
  unstoredError: { readonly message: string; readonly retrySeconds: number } | undefined;
  /** what was last said about waiting, so that it is said once */
  waitingFor: string | undefined;
}

export interface SupervisedNode {
  readonly target: Database;
  /** undefined on a root */
  readonly source: Database | undefined;
  readonly queueName: string;
}

/** Keeps every table that needs it with a copier, so that `parallel_copies` of them load rows at once. A table whose copy ended
 * before its time goes there again in whatever state it is; one that fails waits for its turn while another has the slot. Copies
 * that a former worker has left behind count as running: their lock shows them. */
export class CopySupervisor {
  readonly #job: Job;
  readonly #copies = new Map<string, CopyRecord>();
  #providerAskedAt = Number.NEGATIVE_INFINITY;
  #lockAwaitedAt = Number.NEGATIVE_INFINITY;
  #isStopping = false;
  /** takes all tables but suspects */
  #copier: CopierProcess | undefined;
  readonly #copiers = new Set<CopierProcess>();
  /** a copy has ended before its time since this was last read, and may have left something behind */
  mayHaveLeftovers = true;

  constructor(job: Job) {
    this.#job = job;
    job.abort.addEventListener("abort", () => void this.stop());
  }

  /** @returns names of the tables whose copy is alive */
  async supervise(node: SupervisedNode, tables: readonly ReplicatedTable[]): Promise<ReadonlySet<string>> {
    const local = tables.filter((table) => table.isLocal);
    const needing = local.filter((table) => needsCopyProcess(table.state));
    const fresh = local.filter((table) => table.state.kind === "none");
    this.#forget(new Set([...needing, ...fresh].map((table) => table.name)));
    this.#endUnwanted(local);
    if (needing.length === 0 && fresh.length === 0) {
      this.reload();
      return this.#alive();
    }
    await this.#storeErrors(node);
    const running = await this.#running(node, needing);
    const room = new CopyRoom(this.#job.config.getInt("parallel_copies"), needing, running);
    for (const table of needing) {
      if (running.has(table.name) || !this.#isDue(table.name) || !room.isFor(table)) continue;
      this.#launch(table.name);
      room.take(table);
      running.add(table.name);
    }
    if (fresh.length > 0 && node.source !== undefined) {
      await this.#startCopies(node, node.source, fresh, running, room);
    }
    return running;
  }

  /** Makes a table's copy look at once whether it can go on. One that a former worker has left looks by itself, later. */
  nudge(table: string): void {
    this.#copies.get(table)?.copier?.nudge(table);
  }

  /** The next table goes to a new copier, which reads the configuration. */
  reload(): void {
    this.#copier?.retire();
    this.#copier = undefined;
  }

  /** A copy that began before its table was removed, or was sent back to the start, would go on with old rows and an old place. */
  #endUnwanted(local: readonly ReplicatedTable[]): void {
    const states = new Map(local.map((table) => [table.name, table.state.kind]));
    for (const [name, record] of this.#copies) {
      if (record.copier === undefined || record.isUnwanted || (states.get(name) ?? "none") !== "none")
        continue;
      record.isUnwanted = true;
      this.#job.log.info(`ending the copy of ${name}: it is not wanted any more`);
      record.copier.end(name);
    }
  }

  #alive(): Set<string> {
    return new Set([...this.#copies].flatMap(([name, record]) => (record.copier ? [name] : [])));
  }

  /** Where `tables` shows them. */
  async #storeErrors(node: SupervisedNode): Promise<void> {
    for (const [table, record] of this.#copies) {
      if (record.unstoredError === undefined) continue;
      const { message, retrySeconds } = record.unstoredError;
      record.unstoredError = undefined;
      await localCopyError(node.target, node.queueName, table, message, retrySeconds);
    }
    await node.target.commit();
  }

  async #running(node: SupervisedNode, needing: readonly ReplicatedTable[]): Promise<Set<string>> {
    const running = this.#alive();
    const unknown = needing.flatMap(({ name }) => (running.has(name) ? [] : name));
    for (const name of await tablesInCopy(node.target, node.queueName, unknown)) running.add(name);
    await node.target.commit();
    return running;
  }

  async #startCopies(
    node: SupervisedNode,
    source: Database,
    fresh: readonly ReplicatedTable[],
    running: Set<string>,
    room: CopyRoom,
  ): Promise<void> {
    if (!fresh.some((table) => room.isFor(table))) return;
    const isDue = fresh.some((table) => this.#record(table.name).waitingFor === undefined);
    if (!isDue && performance.now() - this.#providerAskedAt < providerPollMs) return;
    this.#providerAskedAt = performance.now();
    const { log } = this.#job;
    const names = fresh.map((table) => table.name);
    const onProvider = await source.autocommitted(() => getTableStates(source, node.queueName, names));
    const deadline = performance.now() + startingMs;
    for (const table of fresh) {
      if (!room.isFor(table)) break;
      if (performance.now() > deadline) {
        this.#job.wake();
        break;
      }
      if (running.has(table.name) || !this.#isDue(table.name)) continue;
      const there = onProvider.get(table.name);
      const isFromElsewhere = (table.attributes.get("copy_node") ?? "") !== "";
      if (isFromElsewhere) {
        await this.#begin(node, table, running, room);
      } else if (there === undefined) {
        this.#wait(table.name, "absent", () => log.warn(`Table ${table.name} not available on provider`));
      } else if (there.kind !== "ok") {
        this.#wait(table.name, "not ok", () => log.info(`Table ${table.name} not OK on provider, waiting`));
      } else {
        await this.#begin(node, table, running, room);
      }
    }
  }

  /** Foreign keys go first, each in a transaction of its own: the copy could not empty the table with them. */
  async #begin(
    node: SupervisedNode,
    table: ReplicatedTable,
    running: Set<string>,
    room: CopyRoom,
  ): Promise<void> {
    const { log } = this.#job;
    const mayWait = performance.now() - this.#lockAwaitedAt >= lockRetryMs;
    const waitMs = mayWait ? lockWaitMs : shortestLockWaitMs;
    const keyInUse = await dropForeignKeys(node.target, log, table.destination, waitMs);
    if (keyInUse !== undefined) {
      if (mayWait) this.#lockAwaitedAt = performance.now();
      this.#record(table.name).notBefore = performance.now() + lockRetryMs;
      this.#wait(table.name, "lock", () =>
        log.warn(
          `${table.name}: foreign key ${keyInUse} cannot be dropped now, its tables are in use; waiting`,
        ),
      );
      return;
    }
    const result = await moveTable(node.target, log, {
      queueName: node.queueName,
      table: table.name,
      event: "start-copy",
    });
    await node.target.commit();
    if (!result.isMoved) return;
    this.#launch(table.name);
    room.take(table);
    running.add(table.name);
  }

  #launch(table: string): void {
    const record = this.#record(table);
    record.waitingFor = undefined;
    this.#job.log.info(`Launching copy process for ${table}`);
    if (record.isSuspect) record.copier = this.#newCopier();
    else {
      if (this.#copier?.isUsable !== true) this.#copier = this.#newCopier();
      record.copier = this.#copier;
    }
    record.copier.begin(table);
  }

  #newCopier(): CopierProcess {
    const copier: CopierProcess = new CopierProcess(this.#job, {
      onCopied: () => this.#job.wake(),
      onEnded: (table, failure, isCrash) => {
        this.#ended(table, copier, failure, isCrash);
        if (copier !== this.#copier && copier.tables.size === 0) copier.retire();
      },
      onExit: () => this.#copiers.delete(copier),
    });
    this.#copiers.add(copier);
    return copier;
  }

  #ended(table: string, copier: CopierProcess, failure: string | undefined, isCrash: boolean): void {
    const record = this.#record(table);
    if (record.copier !== copier) return;
    record.copier = undefined;
    this.#job.wake();
    const isUnwanted = record.isUnwanted;
    record.isUnwanted = false;
    // A copy whose table was removed ends without a failure, and leaves its place in the queue behind.
    this.mayHaveLeftovers = true;
    if (failure === undefined || isUnwanted) {
      record.failures = 0;
      record.notBefore = 0;
      record.isSuspect = false;
      return;
    }
    if (this.#isStopping) return;
    record.isSuspect ||= isCrash;
    const longest = this.#job.config.getFloat("exception_sleep") * 1000;
    const pauseMs = Math.min(longest, firstRetryMs * retryGrowth ** record.failures);
    record.failures += 1;
    record.notBefore = performance.now() + pauseMs;
    record.unstoredError = { message: failure, retrySeconds: pauseMs / 1000 };
    this.#job.log.error(`copy of ${table} failed, next try in ${(pauseMs / 1000).toFixed(1)} s (${failure})`);
  }

  #wait(table: string, what: string, say: () => void): void {
    const record = this.#record(table);
    if (record.waitingFor !== what) say();
    record.waitingFor = what;
  }

  #isDue(table: string): boolean {
    return this.#record(table).notBefore <= performance.now();
  }

  #record(table: string): CopyRecord {
    let record = this.#copies.get(table);
    if (record === undefined) {
      record = {
        copier: undefined,
        isUnwanted: false,
        isSuspect: false,
        failures: 0,
        notBefore: 0,
        unstoredError: undefined,
        waitingFor: undefined,
      };
      this.#copies.set(table, record);
    }
    return record;
  }

  /** Tables that are done or gone start without a history when they come again. */
  #forget(wanted: ReadonlySet<string>): void {
    for (const [name, record] of this.#copies) {
      if (!wanted.has(name) && record.copier === undefined) this.#copies.delete(name);
    }
  }

  /** Ends the copiers: what they have not committed is rolled back and done again after the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([...this.#copiers].map((copier) => copier.kill()));
  }
}
