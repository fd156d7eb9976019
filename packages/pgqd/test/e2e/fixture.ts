import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Cluster,
  type ProgramResult,
  type RunningProgram,
  runProgram,
  startProgram,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";

/** A configuration file for pgqd in a directory of its own. */
export class Configuration implements AsyncDisposable {
  readonly #directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  readonly file: string;
  readonly pidfile: string;
  readonly logfile: string;

  private constructor(directory: Awaited<ReturnType<typeof temporaryDirectory>>) {
    this.#directory = directory;
    this.file = join(directory.path, "pgqd.ini");
    this.pidfile = join(directory.path, "pgqd.pid");
    this.logfile = join(directory.path, "pgqd.log");
  }

  static async create(lines: readonly string[]): Promise<Configuration> {
    const configuration = new Configuration(await temporaryDirectory("pgqd"));
    configuration.write(lines);
    return configuration;
  }

  /** For all databases of a cluster, with short periods. */
  static async forCluster(cluster: Cluster, lines: readonly string[] = []): Promise<Configuration> {
    return Configuration.create([...clusterLines(cluster), ...lines]);
  }

  write(lines: readonly string[]): void {
    writeFileSync(this.file, `[pgqd]\n${lines.join("\n")}\n`);
  }

  start(args: readonly string[] = [], env: Record<string, string> = {}): RunningProgram {
    return startProgram("pgqd", [...args, this.file], { env });
  }

  run(args: readonly string[]): Promise<ProgramResult> {
    return runProgram("pgqd", [...args, this.file]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

export function clusterLines(cluster: Cluster): string[] {
  return [
    `base_connstr = host=${cluster.socketDir} port=${cluster.port} user=postgres`,
    "initial_database = postgres",
    "syslog = 0",
    "check_period = 0.3",
    "ticker_period = 0.1",
    "maint_period = 0.3",
    "retry_period = 0.3",
    "stats_period = 1",
  ];
}

/** Makes a queue whose every ticker call makes a tick. */
export async function busyQueue(cluster: Cluster, database: string, queueName = "q"): Promise<void> {
  await cluster.query("select pgq.create_queue($1)", [queueName], database);
  for (const parameter of ["ticker_max_lag", "ticker_idle_period"]) {
    await cluster.query("select pgq.set_queue_config($1, $2, '0')", [queueName, parameter], database);
  }
}

/** Drops PgQ under the feet of a pgqd: each holds locks that the other wants, so the server may end this one's attempt. */
export async function dropPgq(cluster: Cluster, database: string): Promise<void> {
  await waitFor("PgQ to be dropped", async () => {
    await cluster.query("drop schema if exists pgq cascade", [], database);
    return true;
  });
}

/** The newest tick of a queue. */
export async function newestTick(cluster: Cluster, database: string, queueName = "q"): Promise<number> {
  const [row] = await cluster.query<{ tick: number }>(
    "select last_tick_id::int4 as tick from pgq.get_queue_info($1)",
    [queueName],
    database,
  );
  return row!.tick;
}
