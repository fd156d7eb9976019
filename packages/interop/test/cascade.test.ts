import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type Cluster,
  moduleDatabase,
  type RunningProgram,
  startCluster,
  startProgram,
  waitFor,
} from "@skytools/testbed";
import { iniFile } from "./fixture/ini-file.js";
import { original, skipWithout } from "./fixture/originals.js";
import { pythonProgramFile } from "./fixture/python-program.js";

const queue = "q";
const ourWorker = join(
  dirname(fileURLToPath(import.meta.resolve("@skytools/pgq"))),
  "../example/queue-worker.mjs",
);

/* A chain in which the workers take turns: root, our branch, a branch with the original worker, our branch again. */
describe("a chain of branches with our workers and the original ones", {
  skip: skipWithout("python3-pgq"),
}, () => {
  it("has the same events, times and ticks on every node", async () => {
    await using cluster = await startCluster();
    const names = ["n0", "n1", "n2", "n3"];
    for (const [at, name] of names.entries()) await createNode(cluster, name, names[at - 1]);
    await using n1 = await startWorker(cluster, "n1", true);
    await using n2 = await startWorker(cluster, "n2", false);
    await using n3 = await startWorker(cluster, "n3", true);
    for (let batch = 0; batch < 5; batch += 1) {
      await cluster.query(
        `select pgq.insert_event($1, 'type', E'data \\\\ \\t\\n' || i, 'public.t', null, '', $2)
           from generate_series(1, 20) i`,
        [queue, String(batch)],
        "n0",
      );
      await tick(cluster);
    }
    await cluster.query(
      "select pgq_node.register_location($1, 'later', 'dbname=later', false)",
      [queue],
      "n0",
    );
    const last = await tick(cluster);
    await waitFor(
      `tick ${last} at the end of the chain`,
      async () => (await ticksOf(cluster, "n3")).some(([tickId]) => tickId === last),
      { onTimeout: () => [n1, n2, n3].map((program) => program.outputTail()).join("") },
    );
    const events = await eventsOf(cluster, "n0");
    const ticks = await ticksOf(cluster, "n0");
    assert.equal(events.length, 102);
    for (const name of names.slice(1)) {
      assert.deepEqual(await eventsOf(cluster, name), events, name);
      assert.deepEqual(await ticksOf(cluster, name), ticks, name);
      const known = await cluster.query(
        "select from pgq_node.node_location where node_name = 'later'",
        [],
        name,
      );
      assert.equal(known.length, 1, name);
    }
  });
});

/** @param isOurs whether ours or the original one */
async function startWorker(cluster: Cluster, name: string, isOurs: boolean): Promise<RunningProgram> {
  const ini = await iniFile("queue_worker", {
    job_name: `${name}_w`,
    node_db: cluster.connstr(name),
    queue_name: queue,
    loop_delay: 0.1,
    pidfile: `${name}.pid`,
  });
  if (isOurs) return startProgram(ourWorker, [ini.file, "worker"], { cwd: ini.directory });
  return startProgram(original.python, [pythonProgramFile("cascaded_worker.py"), ini.file], {
    cwd: ini.directory,
    env: { PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1" },
  });
}

async function createNode(cluster: Cluster, name: string, provider: string | undefined): Promise<void> {
  const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node"], name);
  const register = (database: string, node: string) =>
    cluster.query(
      "select pgq_node.register_location($1, $2, $3, false)",
      [queue, node, cluster.connstr(node)],
      database,
    );
  await register(name, name);
  if (provider === undefined) {
    await cluster.query(
      "select pgq_node.create_node($1, 'root', $2, $3, null, null, null)",
      [queue, name, `${name}_w`],
      name,
    );
    return;
  }
  assert.equal(connstr, cluster.connstr(name));
  await register(name, provider);
  await register(provider, name);
  await cluster.query(
    "select pgq_node.register_subscriber($1, $2, $3, null)",
    [queue, name, `${name}_w`],
    provider,
  );
  await cluster.query(
    "select pgq_node.create_node($1, 'branch', $2, $3, $4, 1, null)",
    [queue, name, `${name}_w`, provider],
    name,
  );
}

async function tick(cluster: Cluster): Promise<string> {
  await cluster.query("select pgq.force_tick($1)", [queue], "n0");
  const [row] = await cluster.query<{ tick: string }>("select pgq.ticker($1)::text as tick", [queue], "n0");
  return row!.tick;
}

async function ticksOf(cluster: Cluster, database: string): Promise<string[][]> {
  const rows = await cluster.query<{ tick: string[] }>(
    "select array[tick_id::text, tick_time::text] as tick from pgq.tick where tick_id > 1 order by tick_id",
    [],
    database,
  );
  return rows.map((row) => row.tick);
}

/** Everything that a branch must repeat. */
function eventsOf(cluster: Cluster, database: string): Promise<object[]> {
  return cluster.query(
    `select ev_id::text, ev_time::text, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
       from pgq.event_1 order by ev_id`,
    [],
    database,
  );
}
