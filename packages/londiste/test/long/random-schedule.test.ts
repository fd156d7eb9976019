import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { queueName, Replication } from "../fixture/replication.js";
import { hostileTables, leafLedger, ledgerTable, randomTables } from "./hostile-tables.js";
import { RandomSource } from "./random-source.js";
import { RandomWriter } from "./random-writer.js";

/** LONDISTE_SEED repeats a schedule as far as timing allows, LONDISTE_MINUTES is how long it disturbs. */
const seed = Number(process.env.LONDISTE_SEED ?? Math.floor(Math.random() * 1e9));
const minutes = Number(process.env.LONDISTE_MINUTES ?? 2);
const writerCount = 3;

const random = new RandomSource(seed);
const history: string[] = [];
let stage: Replication;

before(async () => {
  console.log(`LONDISTE_SEED=${seed} LONDISTE_MINUTES=${minutes}`);
  stage = await Replication.startNodes(hostileTables);
  await stage.run("leaf", leafLedger);
  // An application that does not wait for its commits, and event tables that rotate all the time.
  for (const name of ["root", "leaf"] as const) {
    await stage.run(name, "alter database shop set synchronous_commit = off");
  }
  await stage.run("root", `select pgq.set_queue_config('${queueName}', 'rotation_period', '2 seconds')`);
  await stage.londiste("root", "add-table", ledgerTable, ...randomTables);
  await stage.londiste("leaf", "add-table", ledgerTable, "--wait-sync");
  await stage.londiste("leaf", "add-table", ...randomTables);
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

/** A command that goes on until it is done: servers may be starting. */
async function persistently(name: "root" | "leaf", ...args: string[]): Promise<void> {
  await waitFor(
    `londiste3 ${name} ${args.join(" ")}`,
    async () => {
      const result = await stage.tryLondiste(name, ...args);
      if (result.code !== 0) throw new Error(result.stderr);
      return true;
    },
    { timeoutMs: 60_000, intervalMs: 300, onTimeout: () => stage.logTail("leaf") },
  );
}

async function killCopies(): Promise<void> {
  for (const file of await readdir(stage.directory)) {
    if (!file.startsWith("leaf.pid.copy.")) continue;
    const pid = Number(await readFile(stage.path(file), "utf8").catch(() => "0"));
    try {
      if (pid > 0) process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

async function alter(sql: string): Promise<void> {
  await stage.run("root", `set lock_timeout = '1s'; ${sql}`).catch(() => {});
}

const disturbances: Readonly<Record<string, () => Promise<void>>> = {
  async "kill leaf worker"() {
    await stage.killProcess("leaf worker");
    stage.startWorker("leaf");
  },
  async "kill pgqd"() {
    await stage.killProcess("pgqd");
    stage.startTicker();
  },
  "kill copies": killCopies,
  async "kill worker and copies"() {
    await stage.killProcess("leaf worker");
    await killCopies();
    stage.startWorker("leaf");
  },
  async resync() {
    await persistently("leaf", "resync", random.pick(randomTables));
  },
  async "resync two"() {
    await persistently("leaf", "resync", random.pick(randomTables), random.pick(randomTables));
  },
  async "remove and add on the leaf"() {
    const table = random.pick(randomTables);
    await persistently("leaf", "remove-table", table);
    await persistently("leaf", "add-table", table);
  },
  async "remove and add on the root"() {
    const table = random.pick(randomTables);
    await persistently("root", "remove-table", table);
    await waitFor(`${table} to be gone from the leaf`, async () => !(table in (await stage.states())), {
      timeoutMs: 60_000,
      onTimeout: () => stage.logTail("leaf"),
    });
    await persistently("root", "add-table", table);
    await persistently("leaf", "add-table", table);
  },
  async "restart root"() {
    await stage.clusters.root.restart("immediate");
  },
  async "restart leaf"() {
    await stage.clusters.leaf.restart("immediate");
  },
  async "rewrite a table"() {
    const [table, type] = [random.pick(["plain", "swap", "parent", "child"]), random.pick(["int4", "int8"])];
    await alter(`alter table public.${table} alter column w type ${type}`);
  },
  async "drop and add a column within a transaction"() {
    const write = "update public.plain set w = w + 1 where id < 50";
    await alter(
      `begin; alter table public.plain drop column unused; ${write}; alter table public.plain add column unused int; ${write}; commit`,
    );
  },
};

test("nothing is lost, doubled or changed, whatever dies and whenever", async (t) => {
  const writers = Array.from({ length: writerCount }, (_, nr) => new RandomWriter(stage, seed, nr + 1));
  const deadline = performance.now() + minutes * 60_000;
  try {
    while (performance.now() < deadline) {
      const name = random.pick(Object.keys(disturbances));
      if ((stage.log("leaf").match(/crashed: \[ev_id/g)?.length ?? 0) > 4)
        throw new Error("an event cannot be applied");
      history.push(`${new Date().toISOString()} ${name}`);
      await disturbances[name]!();
      await new Promise((resolve) => setTimeout(resolve, random.int(0, 2500)));
    }
    for (const writer of writers) await writer.stop();
    const committed = writers.reduce((sum, writer) => sum + writer.committed, 0);
    t.diagnostic(`${committed} transactions, ${history.length} disturbances`);
    for (const [message, sql] of writers.flatMap((writer) => [...writer.failures]))
      t.diagnostic(`${message} <- ${sql.slice(0, 90)}`);
    await stage.waitUntilReplicated(180_000);
    await assertLedger();
    for (const table of [ledgerTable, ...randomTables]) await assertSameRows(table);
    const result = await stage.londiste("leaf", "compare");
    assert.doesNotMatch(result.stdout, /DIFFERENT/);
    assert.equal(
      result.stdout.match(/identical/g)?.length,
      randomTables.length + 1,
      result.stdout + result.stderr,
    );
  } catch (error) {
    for (const writer of writers) await writer.stop().catch(() => {});
    const log = stage
      .log("leaf")
      .split("\n")
      .filter((line) => /ERROR|WARN|row by row/.test(line))
      .slice(-40)
      .join("\n");
    throw new Error(
      `LONDISTE_SEED=${seed} LONDISTE_MINUTES=${minutes}\n${history.slice(-40).join("\n")}\n${log}\n${String(error)}`,
      {
        cause: error,
      },
    );
  }
});

async function assertLedger(): Promise<void> {
  const counts = async (node: "root" | "leaf", table: string) => {
    const rows = await stage.query<{ line: string }>(
      node,
      `select writer || '/' || nr || ' ' || count(*) || ' times' as line from ${table} group by writer, nr order by writer, nr`,
    );
    return new Set(rows.map((row) => row.line));
  };
  const [wanted, seen] = [await counts("root", "public.ledger"), await counts("leaf", "public.applied")];
  const lost = [...wanted].filter((row) => !seen.has(row));
  const doubled = [...seen].filter((row) => !wanted.has(row));
  assert.deepEqual({ lost: lost.slice(0, 20), doubled: doubled.slice(0, 20) }, { lost: [], doubled: [] });
}

async function assertSameRows(table: string): Promise<void> {
  const name = `public."${table.slice("public.".length).replaceAll('"', '""')}"`;
  const sql = `select t::text as line from ${name} t order by 1`;
  const lines = async (node: "root" | "leaf") =>
    (await stage.query<{ line: string }>(node, sql)).map((row) => row.line);
  const [root, leaf] = [await lines("root"), await lines("leaf")];
  const here = new Set(leaf);
  const there = new Set(root);
  const difference = {
    missing: root.filter((line) => !here.has(line)).slice(0, 5),
    surplus: leaf.filter((line) => !there.has(line)).slice(0, 5),
  };
  assert.deepEqual(difference, { missing: [], surplus: [] }, `${table} differs`);
  assert.equal(leaf.length, root.length, `${table} has rows twice`);
}
