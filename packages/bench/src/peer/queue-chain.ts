import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Database } from "@skytools/skytools";
import {
  type Cluster,
  moduleDatabase,
  type RunningProgram,
  startProgram,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";

const queue = "bench";

/** Whose cascaded worker. */
export interface WorkerFlavour {
  readonly name: string;
  /** Starts the worker of a node without data of its own. */
  start(configFile: string): RunningProgram;
}

/** This project's worker. */
export function ourWorker(): WorkerFlavour {
  const library = dirname(fileURLToPath(import.meta.resolve("@skytools/pgq")));
  const program = join(library, "../example/queue-worker.mjs");
  return { name: "ours", start: (configFile) => startProgram(program, [configFile, "worker"]) };
}

/** The worker of Debian's python3-pgq, if this machine has it. */
export function pythonWorker(): WorkerFlavour | undefined {
  if (!existsSync("/usr/lib/python3/dist-packages/pgq/cascade/worker.py")) return undefined;
  const program = fileURLToPath(new URL("../../program/queue_worker.py", import.meta.url));
  return {
    name: "python worker",
    start: (configFile) => startProgram("/usr/bin/python3", [program, configFile]),
  };
}

/** A root and branches below each other, in databases of one server, with a worker running for each branch. */
export class QueueChain implements AsyncDisposable {
  readonly #root: Database;
  readonly #branches: readonly Database[];
  readonly #resources: readonly AsyncDisposable[];

  private constructor(root: Database, branches: readonly Database[], resources: readonly AsyncDisposable[]) {
    this.#root = root;
    this.#branches = branches;
    this.#resources = resources;
  }

  static async start(server: Cluster, flavour: WorkerFlavour, levels: number): Promise<QueueChain> {
    const directory = await temporaryDirectory("bench-chain");
    const resources: AsyncDisposable[] = [directory];
    const databases: Database[] = [];
    let providerConnstr = "";
    for (let at = 0; at <= levels; at += 1) {
      const connstr = await moduleDatabase(server, ["pgq", "pgq_node"]);
      const database = await Database.open(connstr, { autocommit: true });
      databases.push(database);
      const register = (name: string, location: string) =>
        database.query("select pgq_node.register_location($1, $2, $3, false)", [queue, name, location]);
      await register(`n${at}`, connstr);
      const provider = databases[at - 1];
      if (provider === undefined) {
        await database.query("select pgq_node.create_node($1, 'root', 'n0', 'w0', null, null, null)", [
          queue,
        ]);
        providerConnstr = connstr;
        continue;
      }
      await register(`n${at - 1}`, providerConnstr);
      await provider.query("select pgq_node.register_location($1, $2, $3, false)", [
        queue,
        `n${at}`,
        connstr,
      ]);
      await provider.query("select pgq_node.register_subscriber($1, $2, $3, null)", [
        queue,
        `n${at}`,
        `w${at}`,
      ]);
      await database.query("select pgq_node.create_node($1, 'branch', $2, $3, $4, 1, null)", [
        queue,
        `n${at}`,
        `w${at}`,
        `n${at - 1}`,
      ]);
      // the python worker leaves it to its application to pass the guard of a branch's queue
      await database.execute(
        "do $$ begin execute format('alter database %I set session_replication_role = replica', current_database()); end $$",
      );
      const file = join(directory.path, `w${at}.ini`);
      writeFileSync(
        file,
        `[queue_worker]\njob_name = w${at}\nnode_db = ${connstr}\nqueue_name = ${queue}\nloop_delay = 0.05\n` +
          `pidfile = ${directory.path}/w${at}.pid\nlogfile = ${directory.path}/w${at}.log\n`,
      );
      resources.push(flavour.start(file));
      providerConnstr = connstr;
    }
    return new QueueChain(databases[0]!, databases.slice(1), [...databases, ...resources]);
  }

  /** Puts events into the root, in so many batches, while the first worker is paused.
   * @returns the last tick */
  async load(events: number, batches: number): Promise<bigint> {
    await this.#setPaused(true);
    let tick = 0n;
    for (let batch = 0; batch < batches; batch += 1) {
      await this.#root.execute(
        `insert into ${await this.#root.queryValue<string>("select pgq.current_event_table($1)", [queue])}
           (ev_time, ev_type, ev_data, ev_extra1)
         select now(), 'I:id', 'id=' || i || '&name=' || repeat('x', 80), 'public.t'
           from generate_series(1, ${Math.round(events / batches)}) i`,
      );
      await this.#root.query("select pgq.force_tick($1)", [queue]);
      tick = (await this.#root.queryValue<bigint>("select pgq.ticker($1)", [queue]))!;
    }
    return tick;
  }

  /** Lets the workers go, and waits until the last branch has a tick in its queue. */
  async passOn(tick: bigint): Promise<void> {
    await this.#setPaused(false);
    const last = this.#branches.at(-1)!;
    await waitFor(
      `tick ${tick} at the end of the chain`,
      async () =>
        ((await last.queryValue<bigint>("select last_tick_id from pgq.get_queue_info($1)", [queue])) ?? 0n) >=
        tick,
      { timeoutMs: 600_000, intervalMs: 5 },
    );
  }

  async #setPaused(isPaused: boolean): Promise<void> {
    const first = this.#branches[0]!;
    await first.query("select pgq_node.set_consumer_paused($1, 'w1', $2)", [queue, isPaused]);
    if (!isPaused) return;
    await waitFor("the worker's pause", () =>
      first.queryValue<boolean>("select uptodate from pgq_node.local_state"),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#resources.toReversed()) await resource[Symbol.asyncDispose]();
  }
}
