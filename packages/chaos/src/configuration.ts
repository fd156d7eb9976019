import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type NodeKey, nodeKeys, serverKeys } from "./cascade-model.ts";
import type { Servers } from "./servers.ts";

export const queueName = "chaos";

/** How long each of the three event tables of a queue is written to, at least. */
export const rotationSeconds = 180;

/** The consumer name of a node's worker. */
export const jobName = (key: NodeKey): string => `${key}_worker`;

/** Writes the files of all workers and tickers, with short periods.
 * @param connstr of a node, through its proxy */
export async function writeConfiguration(
  directory: string,
  servers: Servers,
  connstr: (key: NodeKey) => string,
): Promise<void> {
  for (const key of nodeKeys) {
    await writeIni(join(directory, `${key}.ini`), "londiste3", {
      job_name: jobName(key),
      db: connstr(key),
      queue_name: queueName,
      logfile: `${key}.log`,
      pidfile: `${key}.pid`,
      loop_delay: "0.2",
      exception_sleep: "0.5",
      parallel_copies: "2",
      local_wm_publish_period: "1",
      global_wm_publish_period: "1",
      server_check_period: "1",
    });
  }
  for (const key of serverKeys) {
    const cluster = servers.cluster(key);
    await writeIni(join(directory, `pgqd-${key}.ini`), "pgqd", {
      base_connstr: `host=${cluster.socketDir} port=${cluster.port} user=postgres`,
      logfile: `pgqd-${key}.log`,
      pidfile: `pgqd-${key}.pid`,
      syslog: "0",
      ticker_period: "0.1",
      retry_period: "1",
      check_period: "1",
      maint_period: "5",
    });
  }
}

function writeIni(path: string, section: string, values: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}\n`);
  return writeFile(path, `[${section}]\n${lines.join("")}`);
}
