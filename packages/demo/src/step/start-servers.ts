import { type Cluster, startCluster, temporaryDirectory } from "@skytools/testbed";
import { Daemons } from "../daemons.ts";
import { dataSize } from "../data-set.ts";
import type { Narrator } from "../narrator.ts";
import { databaseName, demoNode } from "../nodes.ts";
import type { DemoOptions } from "../options.ts";
import { ProcessMemory } from "../process-memory.ts";
import { Session } from "../session.ts";
import { Shell } from "../shell.ts";
import type { Stage } from "../stage.ts";

const serverSettings = { log_statement: "none", shared_buffers: "256MB", max_wal_size: "4GB" };

/** Two servers with an empty database each. */
export async function startServers(options: DemoOptions, narrator: Narrator): Promise<Stage> {
  narrator.title("Two PostgreSQL servers");
  const [first, second, { path: directory }] = await Promise.all([
    startCluster({ settings: serverSettings }),
    startCluster({ settings: serverSettings }),
    temporaryDirectory("demo"),
  ]);
  narrator.say(`provider:   ${first.connstr(databaseName)}`);
  narrator.say(`subscriber: ${second.connstr(databaseName)}`);
  const shell = new Shell(directory, narrator);
  return {
    narrator,
    options,
    size: dataSize(options.accounts),
    directory,
    shell,
    daemons: new Daemons(shell, directory),
    root: demoNode("root", first),
    leaf: demoNode("leaf", second),
    provider: await openDatabase(first),
    subscriber: await openDatabase(second),
    memory: new ProcessMemory(directory),
  };
}

async function openDatabase(cluster: Cluster): Promise<Session> {
  await cluster.createDatabase(databaseName);
  return Session.open(cluster, databaseName, "demo");
}
