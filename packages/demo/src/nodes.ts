import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "@skytools/testbed";
import type { Daemon } from "./daemons.ts";

export const queueName = "bank_queue";
export const databaseName = "bank";

/** One node of the set: a database and the file that a londiste3 command needs to work on it. */
export interface DemoNode {
  readonly name: string;
  readonly cluster: Cluster;
  readonly iniFile: string;
  /** The job name, which is the worker's consumer name too. */
  readonly job: string;
  readonly worker: Daemon;
}

export function demoNode(name: string, cluster: Cluster): DemoNode {
  const iniFile = `${name}.ini`;
  const job = `bank_${name}`;
  return {
    name,
    cluster,
    iniFile,
    job,
    worker: { command: "londiste3", args: [iniFile, "worker"], files: job },
  };
}

/** Writes the worker's configuration.
 * @returns its text */
export async function writeNodeConfig(directory: string, node: DemoNode): Promise<string> {
  const text = `[londiste3]
job_name = ${node.job}
db = ${node.cluster.connstr(databaseName)}
queue_name = ${queueName}
logfile = ${node.job}.log
pidfile = ${node.job}.pid
loop_delay = 0.2
parallel_copies = 2
`;
  await writeFile(join(directory, node.iniFile), text);
  return text;
}

export const tickerIniFile = "pgqd.ini";
export const ticker: Daemon = { command: "pgqd", args: [tickerIniFile], files: "pgqd" };

/** Writes the configuration of the ticker for the provider's server.
 * @returns its text */
export async function writeTickerConfig(directory: string, cluster: Cluster): Promise<string> {
  const text = `[pgqd]
base_connstr = host=${cluster.socketDir} port=${cluster.port} user=postgres
logfile = pgqd.log
pidfile = pgqd.pid
syslog = 0
ticker_period = 0.5
`;
  await writeFile(join(directory, tickerIniFile), text);
  return text;
}
