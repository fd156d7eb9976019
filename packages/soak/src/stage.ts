import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Database } from "@skytools/skytools";
import {
  type Cluster,
  moduleDatabase,
  runProgram,
  startCluster,
  temporaryDirectory,
} from "@skytools/testbed";
import { Daemon, type DaemonPlan } from "./daemon.ts";
import type { Sample } from "./figures.ts";
import { IniFile } from "./ini-file.ts";
import { observerName, serverFigures } from "./server-figures.ts";

const settings = {
  log_statement: "none",
  log_connections: "off",
  autovacuum_naptime: "20s",
  wal_level: "replica",
};

/** Settings of every daemon but pgqd: short pauses, and everything that lives for some time lives shortly. All together must leave
 * something of two cores: daemons that do not keep up have more of everything at the end, and copies that take ever longer. */
const restless = {
  loop_delay: "0.2",
  exception_sleep: "0.2",
  connection_lifetime: "15",
  log_size: "20000",
  log_count: "2",
};

/** Servers, databases, files and daemons of a run. */
export class Stage implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly daemons: Daemon[] = [];
  /** Where configurations, logs and pidfiles are. */
  readonly directory: string;
  readonly #temporary: string;
  readonly #probes: string;
  readonly #observers = new Map<Cluster, Database[]>();
  readonly #open: AsyncDisposable[] = [];
  /** Set when the run is to end. */
  isEnding = false;

  private constructor(cluster: Cluster, root: string) {
    this.cluster = cluster;
    this.#open.push(cluster);
    const [work, temporary, probes] = ["work", "tmp", "probes"].map((name) => join(root, name));
    this.directory = work!;
    this.#temporary = temporary!;
    this.#probes = probes!;
    for (const directory of [this.directory, this.#temporary, this.#probes]) mkdirSync(directory);
    copyFileSync(fileURLToPath(new URL("probe.js", import.meta.url)), join(this.#probes, "probe.mjs"));
  }

  static async start(): Promise<Stage> {
    return new Stage(await startCluster({ settings }), (await temporaryDirectory("soak")).path);
  }

  /** One more server, quiet until somebody writes. */
  async startCluster(extra: Readonly<Record<string, string>>): Promise<Cluster> {
    const cluster = await startCluster({
      settings: { ...settings, ...extra },
      initdb: ["--wal-segsize=1"],
    });
    this.#open.push(cluster);
    await this.#observe(cluster, cluster.connstr());
    return cluster;
  }

  /** @returns the connect string */
  async createDatabase(name: string, modules: readonly string[], sql: string): Promise<string> {
    const connstr = await moduleDatabase(this.cluster, modules, name);
    await this.cluster.query(sql, [], name);
    await this.#observe(this.cluster, connstr);
    return connstr;
  }

  async #observe(cluster: Cluster, connstr: string): Promise<void> {
    const database = await this.connect(connstr);
    this.#observers.set(cluster, [...(this.#observers.get(cluster) ?? []), database]);
  }

  /** A connection of ours, which nobody cuts. */
  async connect(connstr: string): Promise<Database> {
    const database = await Database.open(`${connstr} application_name=${observerName}`, { autocommit: true });
    this.#open.push(database);
    return database;
  }

  /** Writes a configuration, with a job's usual files and haste. */
  configure(name: string, section: string, values: Readonly<Record<string, string | number>>): IniFile {
    return new IniFile(join(this.directory, `${name}.ini`), section, {
      job_name: name,
      logfile: this.logFile(name),
      pidfile: join(this.directory, `${name}.pid`),
      ...restless,
      ...values,
    });
  }

  logFile(name: string): string {
    return join(this.directory, `${name}.log`);
  }

  start(plan: DaemonPlan): Daemon {
    const probe = join(this.#probes, "probe.mjs");
    const env = {
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import=${probe}`.trimStart(),
      SOAK_PROBES: this.#probes,
      TMPDIR: this.#temporary,
    };
    const daemon = new Daemon(plan, env, this.#probes);
    this.daemons.push(daemon);
    return daemon;
  }

  /** Runs a command to its end.
   * @throws Error with its output when it fails */
  async run(command: string, args: readonly string[]): Promise<void> {
    const { code, stderr } = await runProgram(command, args, { env: { TMPDIR: this.#temporary } });
    if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${code}\n${stderr}`);
  }

  /** Until then the server keeps the files of tables that were emptied, and each rotation empties one. */
  async checkpoint(): Promise<void> {
    await this.#observers.get(this.cluster)![0]!.execute("checkpoint");
  }

  /** Ends the daemons' connections to one database. */
  async cut(database: string): Promise<void> {
    await this.#observers.get(this.cluster)![0]!.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where backend_type = 'client backend' and application_name <> $2 and datname = $1`,
      [database, observerName],
    );
  }

  /** What servers and directories have. */
  async figures(): Promise<ReadonlyMap<string, Sample>> {
    const all = new Map<string, Sample>([
      ["files beside configurations", { names: readdirSync(this.directory).length }],
      ["temporary directory", { names: readdirSync(this.#temporary).length }],
    ]);
    let number = 0;
    for (const [cluster, databases] of this.#observers) {
      number += 1;
      all.set(`server ${number}`, await serverFigures(cluster, databases));
    }
    return all;
  }

  /** Waits, but not beyond the end of the run. */
  async pause(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (!this.isEnding && performance.now() < end) {
      await sleep(Math.min(200, Math.max(1, end - performance.now())));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.daemons) await daemon[Symbol.asyncDispose]();
    for (const resource of this.#open.toReversed()) await resource[Symbol.asyncDispose]();
  }
}
