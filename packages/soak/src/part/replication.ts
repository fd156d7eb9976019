import { waitFor } from "@skytools/testbed";
import { fastQueue, globalWatermark } from "../queue-haste.ts";
import type { Stage } from "../stage.ts";
import type { Disturbance, Part } from "./part.ts";

const queue = "soak";
const modules = ["pgq", "pgq_node", "londiste"];
const tables = ["public.accounts", "public.history"];
const nodes = ["root", "branch", "leaf"] as const;
const schema = `create table accounts (id int primary key, balance int8);
  create table history (id int primary key, at timestamptz, what text)`;

/** Londiste on a root, a branch and a leaf below it, whose tables are copied again and again. */
export async function replication(stage: Stage): Promise<Part> {
  let provider = "";
  for (const node of nodes) {
    const connstr = await stage.createDatabase(node, modules, schema);
    const ini = stage.configure(`londiste-${node}`, "londiste3", {
      db: connstr,
      queue_name: queue,
      parallel_copies: 2,
      local_wm_publish_period: 1,
      global_wm_publish_period: 1,
    });
    const type = node === "root" || node === "leaf" ? node : "branch";
    const from = provider === "" ? [] : [`--provider=${provider}`];
    await stage.run("londiste3", [ini.path, `create-${type}`, node, connstr, ...from]);
    provider = connstr;
    if (node !== "leaf") await stage.cluster.query(fastQueue(queue), [], node);
    const observer = await stage.connect(connstr);
    const position =
      node === "root"
        ? globalWatermark(queue)
        : `select worker_last_tick from pgq_node.get_node_info('${queue}')`;
    stage.start({
      name: `londiste ${node}`,
      command: "londiste3",
      args: ["worker"],
      ini,
      logFile: stage.logFile(`londiste-${node}`),
      changing: ["loop_delay", "0.2", "0.25"],
      progress: async () => Number(await observer.queryValue(position)),
    });
    await stage.run("londiste3", [ini.path, "add-table", ...tables]);
    if (node !== "root") await allCopied(stage, node);
  }
  const writer = await stage.connect(stage.cluster.connstr("root"));
  return {
    write: async () => {
      await writer.execute(`insert into accounts select distinct (random() * 2000)::int, 0 from generate_series(1, 10)
          on conflict (id) do update set balance = accounts.balance + 1;
        insert into history select (random() * 2000)::int, now(), 'what' from generate_series(1, 5) on conflict do nothing;
        delete from history where id = (random() * 2000)::int`);
    },
    disturbances: [
      resync(stage, "branch", tables[0]!),
      resync(stage, "leaf", tables[1]!),
      ...nodes.map((name) => ({ name: `connections to ${name} are cut`, run: () => stage.cut(name) })),
    ],
  };
}

function resync(stage: Stage, node: "branch" | "leaf", table: string): Disturbance {
  return {
    name: `${table} is copied to ${node} again`,
    run: async () => {
      await stage.run("londiste3", [`${stage.directory}/londiste-${node}.ini`, "resync", table]);
      await allCopied(stage, node);
    },
  };
}

async function allCopied(stage: Stage, node: string): Promise<void> {
  await waitFor(
    `the tables of ${node} to be copied`,
    async () => {
      const states = await stage.cluster.query<{ state: string | null }>(
        "select merge_state as state from londiste.get_table_list($1) where local",
        [queue],
        node,
      );
      return states.length === tables.length && states.every(({ state }) => state === "ok");
    },
    { timeoutMs: 300_000, intervalMs: 100 },
  );
}
