import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  type Cluster,
  moduleDatabase,
  type ProgramResult,
  type RunningProgram,
  runProgram,
  startCluster,
  startProgram,
  type TemporaryDirectory,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";

/* root -> branch, and both -> leaf: the programs write into queues beside the leaf's node. */
describe("queue_mover3 and queue_splitter3 on a cascaded queue", () => {
  let cluster: Cluster;
  let directory: TemporaryDirectory;
  const connstrs = new Map<string, string>();
  /** the node that takes events, and the one that follows it */
  let [writable, following] = ["root", "branch"];
  let batches = 0;

  before(async () => {
    cluster = await startCluster();
    directory = await temporaryDirectory("cascaded");
    for (const name of ["root", "branch", "leaf"]) {
      const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node"], name);
      connstrs.set(name, connstr);
      const provider = name === "root" ? [] : [`--provider=${connstrs.get("root")!}`];
      await setadm(name, `create-${name}`, name, connstr, `--worker=${name}_w`, ...provider);
    }
    await query("leaf", "select pgq.create_queue(x) from unnest(array['moved', 'orders', 'users']) x");
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  function query(database: string, sql: string): Promise<Record<string, unknown>[]> {
    return cluster.query<Record<string, unknown>>(sql, [], database);
  }

  function configure(section: string, name: string, lines: Readonly<Record<string, string>>): string {
    const file = join(directory.path, `${name}.ini`);
    const all = { queue_name: "q", loop_delay: "0.05", exception_sleep: "0.2", ...lines };
    const text = Object.entries(all).map(([key, value]) => `${key} = ${value}\n`);
    writeFileSync(file, `[${section}]\n${text.join("")}`);
    return file;
  }

  async function setadm(node: string, ...args: string[]): Promise<void> {
    const file = configure("setadm3", `${node}-setadm`, { node_db: connstrs.get(node)! });
    const { code, stderr } = await runProgram("setadm3", [file, ...args]);
    assert.equal(code, 0, stderr);
  }

  /** The program's configuration; its consumer has the program's name. */
  const configOf = (program: string, lines: Readonly<Record<string, string>> = {}) =>
    configure(program, program, {
      job_name: program,
      dst_db: connstrs.get("leaf")!,
      cascaded: "1",
      ...lines,
    });

  async function runWell(program: string, ...args: string[]): Promise<ProgramResult> {
    const result = await runProgram(program, args);
    assert.equal(result.code, 0, result.stderr);
    return result;
  }

  /** Events of the next ten numbers and a batch, on whichever node takes them. @returns false while none does */
  async function produce(): Promise<boolean> {
    try {
      await query(
        writable,
        `select pgq.insert_event('q', 'I:n', (${batches + 1} * 10 + n)::text, 'public.t', case when n % 2 = 0 then 'orders' else 'users' end, null, null)
           from generate_series(0, 9) n`,
      );
    } catch {
      [writable, following] = [following, writable];
      return false;
    }
    batches += 1;
    // between the events and their tick the node may become a branch, which gets its ticks from the other
    await query(writable, "select pgq.force_tick('q'); select pgq.ticker('q')").catch(() => undefined);
    return true;
  }

  async function newestTick(node: string): Promise<number> {
    const [row] = await query(
      node,
      "select max(tick_id)::int4 as tick from pgq.tick join pgq.queue on tick_queue = queue_id where queue_name = 'q'",
    );
    return Number(row!.tick);
  }

  /** Writes while something is done, at the pace of the node that follows, which is not to fall far behind. */
  async function whileWriting(body: () => Promise<void>): Promise<void> {
    let isEnough = false;
    const write = async () => {
      while (!isEnough) {
        await waitFor("a node that takes events", produce);
        await waitFor(
          "the other node",
          async () => isEnough || (await newestTick(writable)) - (await newestTick(following)) < 5,
        );
      }
    };
    const done = body().finally(() => {
      isEnough = true;
    });
    await Promise.all([write(), done]);
  }

  /** Numbers of the events of a queue of the leaf, in order. */
  async function numbers(queue: string): Promise<number[]> {
    const rows = await query(
      "leaf",
      `select ev_data::int4 as n from pgq.event_template e, pgq.queue q
        where queue_name = '${queue}' and starts_with(e.tableoid::regclass::text, queue_data_pfx || '_') order by ev_id`,
    );
    return rows.map(({ n }) => Number(n));
  }

  const worker = (name: string): RunningProgram =>
    startProgram("queue_loader3", [
      configure("queue_loader3", `${name}-worker`, {
        job_name: `${name}_w`,
        db: connstrs.get(name)!,
        table_mode: "ignore",
      }),
    ]);

  async function waitForCount(queue: string, count: number, ...programs: RunningProgram[]): Promise<void> {
    await waitFor(`${count} events in ${queue}`, async () => (await numbers(queue)).length >= count, {
      onTimeout: () => programs.map((program) => program.outputTail()).join("\n"),
    });
  }

  /** All events that were ever written are once in their queues, in order. */
  async function assertWhole(...programs: RunningProgram[]): Promise<void> {
    const all = Array.from({ length: batches * 10 }, (_, at) => at + 10);
    const [even, odd] = [0, 1].map((rest) => all.filter((n) => n % 2 === rest));
    for (const [queue, expected] of [
      ["moved", all],
      ["orders", even!],
      ["users", odd!],
    ] as const) {
      await waitForCount(queue, expected.length, ...programs);
      assert.deepEqual(await numbers(queue), expected, queue);
    }
  }

  async function waitForMore(queue: string, ...programs: RunningProgram[]): Promise<void> {
    await waitForCount(queue, (await numbers(queue)).length + 20, ...programs);
  }

  async function providers(): Promise<Record<string, unknown>[]> {
    return query(
      "leaf",
      "select consumer_name, provider_node from pgq_node.local_state where consumer_name like 'queue%' order by 1",
    );
  }

  it("refuse what cannot be: a queue of the node's own name, --provider without cascaded, no source at all", async () => {
    const own = await runProgram("queue_mover3", [configOf("queue_mover3", { dst_queue_name: "q" })]);
    assert.equal(own.code, 1);
    assert.match(own.stderr, /dst_queue_name: queue "q" is the source itself/);
    const plain = { cascaded: "0", dst_queue_name: "moved" };
    const without = await runProgram("queue_mover3", [configOf("queue_mover3", plain), "--register"]);
    assert.equal(without.code, 1);
    assert.match(without.stderr, /src_db: required key is not set/);
    const file = configOf("queue_mover3", { ...plain, src_db: connstrs.get("root")! });
    const astray = await runProgram("queue_mover3", [file, "--register", "--provider=dbname=x"]);
    assert.equal(astray.code, 1);
    assert.match(astray.stderr, /--provider goes with cascaded = 1/);
  });

  async function dieAfterCommit(program: string, config: string): Promise<void> {
    const kill = { SKYTOOLS_CRASH_POINT: "worker.after-target-commit=kill:3" };
    await using victim = startProgram(program, [config], { env: kill });
    assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
  }

  it("lose and double nothing while change-provider moves them under load and they are killed", async () => {
    const mover = configOf("queue_mover3", { dst_queue_name: "moved" });
    const splitter = configOf("queue_splitter3", { queue_field: "extra2" });
    await runWell("queue_mover3", mover, "--register", `--provider=${connstrs.get("root")!}`);
    await runWell("queue_splitter3", splitter, "--register", `--provider=${connstrs.get("root")!}`);
    await using branch = worker("branch");
    await using splitting = startProgram("queue_splitter3", [splitter]);
    await whileWriting(async () => {
      await dieAfterCommit("queue_mover3", mover);
      await using moving = startProgram("queue_mover3", [mover]);
      for (const program of ["queue_mover3", "queue_splitter3"]) {
        await setadm("leaf", "change-provider", "--provider=branch", `--consumer=${program}`);
      }
      await waitForMore("moved", moving, branch);
    });
    await using moving = startProgram("queue_mover3", [mover]);
    await assertWhole(moving, splitting, branch);
    assert.deepEqual(await providers(), [
      { consumer_name: "queue_mover3", provider_node: "branch" },
      { consumer_name: "queue_splitter3", provider_node: "branch" },
    ]);
    assert.deepEqual(
      await query("root", "select from pgq.get_consumer_info('q') where consumer_name like 'queue%'"),
      [],
    );
  });

  it("lose and double nothing while they are paused, the root is switched under load, and then killed and taken over", async () => {
    await using root = worker("root");
    await using branch = worker("branch");
    await using moving = startProgram("queue_mover3", [
      configOf("queue_mover3", { dst_queue_name: "moved" }),
    ]);
    await using splitting = startProgram("queue_splitter3", [
      configOf("queue_splitter3", { queue_field: "extra2" }),
    ]);
    const all = [root, branch, moving, splitting];
    await whileWriting(async () => {
      await setadm("leaf", "pause", "--consumer=queue_splitter3");
      const standing = await numbers("orders");
      await waitForMore("moved", ...all);
      assert.deepEqual(await numbers("orders"), standing);
      await setadm("leaf", "change-provider", "--provider=root", "--consumer=queue_mover3");
      await setadm("leaf", "resume", "--consumer=queue_splitter3");
      await setadm("branch", "takeover", "root");
      for (const queue of ["moved", "orders"]) await waitForMore(queue, ...all);
      await setadm("leaf", "pause", "--consumer=queue_splitter3");
      await waitForMore("moved", ...all);
    });
    assert.equal(writable, "branch");
    // the node that takes over has what the root has, and the splitter has not
    await waitForCount("moved", batches * 10, ...all);
    branch.signal("SIGKILL");
    await branch.exit;
    await query("root", "alter database branch allow_connections false");
    await cluster.terminateBackends({ database: "branch" });
    await setadm("root", "takeover", "branch", "--dead-root");
    [writable, following] = ["root", "root"];
    await whileWriting(async () => {
      await setadm("leaf", "resume", "--consumer=queue_splitter3");
      for (const queue of ["moved", "orders"]) await waitForMore(queue, ...all);
    });
    await assertWhole(...all);
    assert.deepEqual(await providers(), [
      { consumer_name: "queue_mover3", provider_node: "root" },
      { consumer_name: "queue_splitter3", provider_node: "root" },
    ]);
  });

  it("--unregister leaves nothing", async () => {
    await runWell("queue_mover3", configOf("queue_mover3", { dst_queue_name: "moved" }), "--unregister");
    assert.equal((await query("root", "select from pgq.get_consumer_info('q', 'queue_mover3')")).length, 0);
  });
});
