import { type ChildProcess, spawn } from "node:child_process";
import type { Database, Job } from "@skytools/skytools";
import { tablesInCopy } from "../copy/copy-lock.ts";
import { localCopyError } from "../copy-progress-api.ts";
import { getTableList, type ReplicatedTable } from "../londiste-api.ts";
import { dropForeignKeys } from "./foreign-keys.ts";
import { moveTable } from "./move-table.ts";
import { needsCopyProcess } from "./table-state.ts";

const firstRetryMs = 250;
const retryGrowth = 4;
/** How often the provider is asked whether a table is ready to be copied. */
const providerPollMs = 1000;

interface CopyRecord {
  process: ChildProcess | undefined;
  /** the process was told to end because its table is not to be copied, or from the start */
  isUnwanted: boolean;
  failures: number;
  notBefore: number;
  /** what the process said before it failed */
  lastMessage: string | undefined;
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

/** Keeps a copy process running for every table that needs one, `parallel_copies` at once. A process that dies is started again
 * in whatever state its table is; one that fails waits for its turn while another table has the slot. Processes that a former
 * worker has left behind count as running: their lock shows them. */
export class CopySupervisor {
  readonly #job: Job;
  readonly #copies = new Map<string, CopyRecord>();
  #providerAskedAt = Number.NEGATIVE_INFINITY;
  #isStopping = false;
  /** a process has ended since this was last read */
  hasEnded = true;

  constructor(job: Job) {
    this.#job = job;
    job.abort.addEventListener("abort", () => this.#endAll());
  }

  /** @returns names of the tables whose copy process is alive */
  async supervise(node: SupervisedNode, tables: readonly ReplicatedTable[]): Promise<ReadonlySet<string>> {
    const local = tables.filter((table) => table.isLocal);
    const needing = local.filter((table) => needsCopyProcess(table.state));
    const fresh = local.filter((table) => table.state.kind === "none");
    this.#forget(new Set([...needing, ...fresh].map((table) => table.name)));
    this.#endUnwanted(local);
    if (needing.length === 0 && fresh.length === 0) return this.#alive();
    await this.#storeErrors(node);
    const running = await this.#running(node, needing);
    const slots = this.#job.config.getInt("parallel_copies");
    for (const table of needing) {
      if (running.size >= slots) break;
      if (running.has(table.name) || !this.#isDue(table.name)) continue;
      this.#launch(table.name);
      running.add(table.name);
    }
    if (running.size < slots && fresh.length > 0 && node.source !== undefined) {
      await this.#startCopies(node, node.source, fresh, running, slots);
    }
    return running;
  }

  /** A copy that began before its table was removed, or was sent back to the start, would go on with old rows and an old place. */
  #endUnwanted(local: readonly ReplicatedTable[]): void {
    const states = new Map(local.map((table) => [table.name, table.state.kind]));
    for (const [name, record] of this.#copies) {
      if (record.process === undefined || record.isUnwanted || (states.get(name) ?? "none") !== "none")
        continue;
      record.isUnwanted = true;
      this.#job.log.info(`ending the copy process of ${name}: its copy is not wanted any more`);
      record.process.kill("SIGTERM");
    }
  }

  #alive(): Set<string> {
    return new Set([...this.#copies].flatMap(([name, record]) => (record.process ? [name] : [])));
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
    slots: number,
  ): Promise<void> {
    const isDue = fresh.some((table) => this.#record(table.name).waitingFor === undefined);
    if (!isDue && performance.now() - this.#providerAskedAt < providerPollMs) return;
    this.#providerAskedAt = performance.now();
    const { log } = this.#job;
    const onProvider = new Map(
      (await getTableList(source, node.queueName)).map((table) => [table.name, table]),
    );
    await source.commit();
    for (const table of fresh) {
      if (running.size >= slots) break;
      if (running.has(table.name) || !this.#isDue(table.name)) continue;
      const there = onProvider.get(table.name);
      const isFromElsewhere = (table.attributes.get("copy_node") ?? "") !== "";
      if (isFromElsewhere) {
        if (await this.#begin(node, table)) running.add(table.name);
      } else if (there === undefined || !there.isLocal) {
        this.#wait(table.name, "absent", () => log.warn(`Table ${table.name} not available on provider`));
      } else if (there.state.kind !== "ok") {
        this.#wait(table.name, "not ok", () => log.info(`Table ${table.name} not OK on provider, waiting`));
      } else if (await this.#begin(node, table)) {
        running.add(table.name);
      }
    }
  }

  /** Foreign keys go first, each in a transaction of its own: the copy could not empty the table with them. */
  async #begin(node: SupervisedNode, table: ReplicatedTable): Promise<boolean> {
    await dropForeignKeys(node.target, this.#job.log, table.destination);
    const result = await moveTable(node.target, this.#job.log, {
      queueName: node.queueName,
      table: table.name,
      event: "start-copy",
    });
    await node.target.commit();
    if (!result.isMoved) return false;
    this.#launch(table.name);
    return true;
  }

  #launch(table: string): void {
    const { log, config, isVerbose } = this.#job;
    const record = this.#record(table);
    record.waitingFor = undefined;
    record.lastMessage = undefined;
    log.info(`Launching copy process for ${table}`);
    const flags = [...(isVerbose ? ["-v"] : []), ...overridesOf(process.argv)];
    const child = spawn(process.execPath, [process.argv[1] ?? "", ...flags, config.file, "copy", table], {
      // Its log goes where ours goes; with a log file there is no need to hold our terminal open.
      stdio: ["ignore", "ignore", config.getOr("logfile", "") === "" ? "inherit" : "ignore", "ipc"],
      env: this.#job.env,
    });
    record.process = child;
    child.on("message", (message) => {
      if (typeof message === "string") record.lastMessage = message;
    });
    child.once("error", (error) => {
      record.lastMessage = error.message;
      if (child.pid === undefined) this.#ended(table, record, child, "could not be started");
    });
    child.once("exit", (code, signal) => {
      this.#ended(
        table,
        record,
        child,
        code === 0 ? undefined : signal ? `was ended by ${signal}` : `exit code ${code}`,
      );
    });
  }

  #ended(table: string, record: CopyRecord, child: ChildProcess, failure: string | undefined): void {
    if (record.process !== child) return;
    record.process = undefined;
    this.hasEnded = true;
    this.#job.wake();
    const isUnwanted = record.isUnwanted;
    record.isUnwanted = false;
    if (failure === undefined || isUnwanted) {
      record.failures = 0;
      record.notBefore = 0;
      return;
    }
    if (this.#isStopping) return;
    const longest = this.#job.config.getFloat("exception_sleep") * 1000;
    const pauseMs = Math.min(longest, firstRetryMs * retryGrowth ** record.failures);
    record.failures += 1;
    record.notBefore = performance.now() + pauseMs;
    const why = record.lastMessage === undefined ? failure : `${failure}: ${record.lastMessage}`;
    record.unstoredError = { message: why, retrySeconds: pauseMs / 1000 };
    this.#job.log.error(`copy of ${table} failed, next try in ${(pauseMs / 1000).toFixed(1)} s (${why})`);
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
        process: undefined,
        isUnwanted: false,
        failures: 0,
        notBefore: 0,
        lastMessage: undefined,
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
      if (!wanted.has(name) && record.process === undefined) this.#copies.delete(name);
    }
  }

  /** Ends the copy processes: what they have not committed is rolled back and done again after the next start. */
  async stop(): Promise<void> {
    const children = this.#endAll();
    await Promise.all(children.map((child) => new Promise((resolve) => child.once("exit", resolve))));
  }

  #endAll(): ChildProcess[] {
    this.#isStopping = true;
    const children = [...this.#copies.values()].flatMap((record) => record.process ?? []);
    for (const child of children) child.kill("SIGTERM");
    return children;
  }
}

/** The --set switches of a command line: they hold for the copy process too. */
function overridesOf(argv: readonly string[]): string[] {
  return argv.flatMap((word, nr) => {
    if (word.startsWith("--set=")) return [word];
    const value = argv[nr + 1];
    return word === "--set" && value !== undefined ? [word, value] : [];
  });
}
