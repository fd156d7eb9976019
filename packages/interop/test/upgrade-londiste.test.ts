import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { Database } from "@skytools/skytools";
import {
  type Cluster,
  type RunningProgram,
  runProgram,
  startCluster,
  startProgram,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";
import { pgqdFile } from "./fixture/ini-file.js";
import { nodeNames, originalNodes, tickOften } from "./fixture/original-nodes.js";
import { original, skipWithout } from "./fixture/originals.js";

const content =
  "select coalesce(md5(string_agg(o::text, ',' order by id)), '') || count(*) as sum from orders o";

it("a running python Londiste set becomes ours with skytools_upgrade3 and theirs again by their files, losing nothing", {
  skip: skipWithout(
    "postgresql-15-pgq3",
    "postgresql-15-pgq-node",
    "postgresql-15-londiste-sql",
    "pgqd",
    "python3-londiste",
  ),
}, async () => {
  await using cluster = await startCluster({ binDir: original.binDir });
  await using directory = await temporaryDirectory("londiste");
  const connstrs = await originalNodes(cluster, directory.path, "londiste");
  const londiste = (node: string, ...args: readonly string[]) => [
    "/usr/bin/londiste",
    `${node}.ini`,
    ...args,
  ];
  const command = async (node: string, ...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await runProgram(original.python, londiste(node, ...args), {
      cwd: directory.path,
    });
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
  };
  await command("root", "create-root", "root", connstrs.root);
  await using ini = await pgqdFile(cluster, { database_list: "root, leaf" });
  await using ticker = startProgram(original.pgqd, [ini.file]);
  await tickOften(cluster);
  const start = (node: string) =>
    startProgram(original.python, londiste(node, "worker"), { cwd: directory.path });
  await using rootWorker = start("root");
  await command("leaf", "create-leaf", "leaf", connstrs.leaf, `--provider=${connstrs.root}`);
  await using leafWorker = start("leaf");
  const workers = [ticker, rootWorker, leafWorker];

  await command("root", "add-table", "orders");
  await command("root", "add-seq", "numbers");
  const insert = "insert into orders select g, 'before ' || g from generate_series(1, 100) g";
  await cluster.query(`${insert}; select nextval('numbers')`, [], "root");
  await command("leaf", "add-table", "orders");
  await command("leaf", "add-seq", "numbers");
  await waitForState(cluster, workers);

  await using load = await Load.start(connstrs.root);
  await load.more();
  await compare(cluster, load, workers);
  const before = await registrations(cluster);
  const upgrade = await runProgram("skytools_upgrade3", Object.values(connstrs));
  assert.equal(upgrade.code, 0, upgrade.stdout + upgrade.stderr);
  const health = await runProgram("skytools_doctor3", Object.values(connstrs));
  assert.equal(health.code, 0, health.stdout + health.stderr);
  assert.deepEqual(await registrations(cluster), { ...before, language: "plpgsql" });
  await load.more();
  await compare(cluster, load, workers);
  // The trigger of this table is generated, and stays so.
  await command("root", "add-table", "later");
  await command("leaf", "add-table", "later");

  for (const node of nodeNames) {
    for (const module of ["pgq", "pgq_node", "londiste"]) {
      const sql = await readFile(join(original.contribDir, `${module}.upgrade.sql`), "utf8");
      await cluster.query(sql, [], node);
    }
  }
  assert.deepEqual(await registrations(cluster), before);
  await load.more();
  await cluster.query("insert into later values (1)", [], "root");
  await compare(cluster, load, workers);
  await waitFor(
    "the later table",
    async () => (await cluster.query("select from later", [], "leaf")).length === 1,
    { onTimeout: () => workers.map((worker) => worker.outputTail()).join("\n") },
  );
  assert.ok(workers.every((worker) => worker.isRunning));
});

/** What the nodes know of tables and sequences, and the trigger that existed before with the language of its function. */
async function registrations(cluster: Cluster): Promise<Record<string, unknown>> {
  const known = (node: string) =>
    cluster.query(
      `select table_name as name, merge_state as state, local::text from londiste.get_table_list('q')
        where table_name <> 'public.later'
       union all select seq_name, last_value::text, local::text from londiste.get_seq_list('q') order by 1`,
      [],
      node,
    );
  const [trigger] = await cluster.query<{ oid: number; lanname: string }>(
    `select t.oid::int8::text as oid, l.lanname from pg_trigger t
       join pg_proc p on p.oid = t.tgfoid join pg_language l on l.oid = p.prolang
      where t.tgrelid = 'orders'::regclass and t.tgname like '%londiste_q' and t.tgtype & 4 = 4 limit 1`,
    [],
    "root",
  );
  return {
    root: await known("root"),
    leaf: await known("leaf"),
    trigger: trigger?.oid,
    language: trigger?.lanname,
  };
}

async function waitForState(cluster: Cluster, workers: readonly RunningProgram[]): Promise<void> {
  await waitFor(
    "orders in sync",
    async () => {
      const sql = "select from londiste.get_table_list('q') where merge_state = 'ok'";
      return (await cluster.query(sql, [], "leaf")).length === 1;
    },
    { onTimeout: () => workers.map((worker) => worker.outputTail()).join("\n") },
  );
}

/** Lets the load rest until the leaf has all of it. */
async function compare(cluster: Cluster, load: Load, workers: readonly RunningProgram[]): Promise<void> {
  await load.rest();
  const [expected] = await cluster.query<{ sum: string }>(content, [], "root");
  let seen: string | undefined;
  await waitFor(
    "the leaf to be as the root",
    async () => {
      seen = (await cluster.query<{ sum: string }>(content, [], "leaf"))[0]?.sum;
      return seen === expected!.sum;
    },
    { onTimeout: () => `${seen}\n${workers.map((worker) => worker.outputTail()).join("\n")}` },
  );
  load.go();
}

/** Small transactions on the root, some between two ticks so that the leaf keeps up, until told to rest. */
class Load implements AsyncDisposable {
  readonly #db: Database;
  #done: Promise<void>;
  #count = 0;
  #isRunning = true;
  #failure: Error | undefined;

  private constructor(db: Database) {
    this.#db = db;
    this.#done = this.#run();
  }

  static async start(connstr: string): Promise<Load> {
    return new Load(await Database.open(connstr, { autocommit: true }));
  }

  async #run(): Promise<void> {
    try {
      while (this.#isRunning) {
        const tick = await this.#newestTick();
        for (let left = 20; left > 0; left -= 1) await this.#transaction();
        await waitFor("a tick", async () => !this.#isRunning || (await this.#newestTick()) !== tick);
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  async #newestTick(): Promise<bigint | undefined> {
    return this.#db.queryValue<bigint>("select max(tick_id) from pgq.tick");
  }

  async #transaction(): Promise<void> {
    const id = 1000 + this.#count;
    await this.#db.query(
      `insert into orders values (${id}, 'it''s & = % new'); update orders set note = note || '+' where id = ${id % 100};
       delete from orders where id = ${id - 5}`,
    );
    this.#count += 1;
  }

  /** Waits for some more transactions. @throws what made one fail */
  async more(): Promise<void> {
    const wanted = this.#count + 30;
    await waitFor("more transactions", () => this.#count >= wanted || this.#failure !== undefined);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** @throws what made a transaction fail */
  async rest(): Promise<void> {
    this.#isRunning = false;
    await this.#done;
    if (this.#failure !== undefined) throw this.#failure;
  }

  go(): void {
    this.#isRunning = true;
    this.#done = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isRunning = false;
    await this.#done;
    await this.#db.close();
  }
}
