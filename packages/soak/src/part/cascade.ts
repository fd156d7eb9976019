import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fastQueue, globalWatermark } from "../queue-haste.ts";
import type { Stage } from "../stage.ts";
import type { Part } from "./part.ts";

const queue = "events";
const examples = join(dirname(fileURLToPath(import.meta.resolve("@skytools/pgq"))), "../example");
const schema = "create table parcels (id int primary key, place text)";

/** A cascaded queue without Londiste: the worker of its root, a loader as the worker of a leaf, and a consumer beside it. */
export async function cascade(stage: Stage): Promise<Part> {
  const hub = await stage.createDatabase("hub", ["pgq", "pgq_node"], schema);
  const shelf = await stage.createDatabase(
    "shelf",
    ["pgq", "pgq_node", "pgq_ext"],
    `${schema}; create table audit (event_id int8 primary key, at timestamptz, what text, detail text)`,
  );
  const periods = { local_wm_publish_period: 1, global_wm_publish_period: 1 };
  const worker = stage.configure("queue-worker", "queue_worker", {
    node_db: hub,
    queue_name: queue,
    ...periods,
  });
  const program = join(examples, "queue-worker.mjs");
  await stage.run(program, [worker.path, "create-root", "hub", hub]);
  await stage.cluster.query(
    `${fastQueue(queue)}; create trigger capture after insert or update or delete on parcels
       for each row execute function pgq.logutriga('${queue}')`,
    [],
    "hub",
  );
  const leaf = stage.configure("setadm", "setadm3", { node_db: shelf, queue_name: queue });
  await stage.run("setadm3", [
    leaf.path,
    "create-leaf",
    "shelf",
    shelf,
    `--provider=${hub}`,
    "--worker=queue-loader",
  ]);
  const loader = stage.configure("queue-loader", "queue_loader3", {
    db: shelf,
    queue_name: queue,
    ...periods,
  });
  const audit = stage.configure("audit", "audit_consumer", { dst_db: shelf, queue_name: queue });
  const auditor = join(examples, "audit-consumer.mjs");
  await stage.run(auditor, [audit.path, "--register", `--provider=${hub}`]);
  const [atHub, atShelf] = [await stage.connect(hub), await stage.connect(shelf)];
  const position = (consumer: string) =>
    `select last_tick_id from pgq_node.local_state where queue_name = '${queue}' and consumer_name = '${consumer}'`;
  const changing = ["loop_delay", "0.2", "0.25"] as const;
  const start = (name: string, command: string, ini: typeof worker, args: readonly string[] = []) =>
    stage.start({
      name,
      command,
      args,
      ini,
      logFile: stage.logFile(name),
      changing,
      progress: async () =>
        Number(
          await (name === "queue-worker"
            ? atHub.queryValue(globalWatermark(queue))
            : atShelf.queryValue(position(name))),
        ),
    });
  start("queue-worker", program, worker, ["worker"]);
  start("queue-loader", "queue_loader3", loader);
  start("audit", auditor, audit);
  const writer = await stage.connect(hub);
  return {
    write: async () => {
      await writer.execute(`insert into parcels select distinct (random() * 500)::int, 'here' from generate_series(1, 5)
          on conflict (id) do update set place = parcels.place || '.';
        delete from parcels where id = (random() * 500)::int or length(place) > 20`);
    },
    disturbances: ["hub", "shelf"].map((name) => ({
      name: `connections to ${name} are cut`,
      run: () => stage.cut(name),
    })),
  };
}
