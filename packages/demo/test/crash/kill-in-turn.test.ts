import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { waitFor } from "@skytools/testbed";
import type { Daemon } from "#src/daemons.js";
import { sequence, tables } from "#src/data-set.js";
import { Narrator } from "#src/narrator.js";
import { databaseName, ticker } from "#src/nodes.js";
import { nextTick, waitForPosition } from "#src/queue-position.js";
import type { Stage } from "#src/stage.js";
import { createNodes } from "#src/step/create-nodes.js";
import { loadData } from "#src/step/load-data.js";
import { startServers } from "#src/step/start-servers.js";
import { findDifferences } from "#src/verification.js";
import { Writers } from "#src/writers.js";

test("worker, copy process and ticker killed in turn under load and started again: nothing is lost, nothing comes twice", async (t) => {
  const story: string[] = [];
  const narrator = new Narrator({ write: (text: string) => story.push(text) });
  const options = { accounts: 200_000, writers: 2, loadSeconds: 1, seed: 11, isKept: false };
  const stage = await startServers(options, narrator);
  t.after(() => Promise.all([stage.root, stage.leaf].map((node) => node.cluster[Symbol.asyncDispose]())));
  await loadData(stage);
  await createNodes(stage);
  const { root, leaf, shell, provider, subscriber } = stage;
  await stopCopiesInTheMiddle(stage);
  const writers = await Writers.start(root.cluster, databaseName, stage.size, options.writers, options.seed);

  for (const node of [root, leaf]) {
    await shell.run("londiste3", node.iniFile, "add-table", ...tables.map((table) => table.name));
    await shell.run("londiste3", node.iniFile, "add-seq", sequence);
  }
  await killCopyOf(stage, "public.accounts");
  // The session of the one that was killed gets the lock, notices, and ends; the next one waits again.
  await subscriber.execute("select pg_advisory_unlock(1), pg_advisory_lock(1)");
  // The worker starts it again; this time both go.
  await killCopyOf(stage, "public.accounts", () => killDaemon(stage, leaf.worker));
  await subscriber.execute("select pg_advisory_unlock(1)");
  await stage.daemons.start(leaf.worker);
  await inSync(stage, story);
  for (const daemon of [ticker, leaf.worker, root.worker, ticker, leaf.worker]) {
    await killAndStart(stage, daemon);
    const committed = writers.transactionCount;
    await waitFor("the load to go on", () => writers.transactionCount > committed + 50);
  }
  await writers.stop();
  const tick = await nextTick(provider);
  await waitForPosition(provider, leaf.job, tick, () => stage.daemons.check());
  assert.deepEqual(await findDifferences(provider, subscriber), []);
  await shell.run("londiste3", leaf.iniFile, "compare");
  await stage.daemons.stopAll();
  await provider[Symbol.asyncDispose]();
  await subscriber[Symbol.asyncDispose]();
});

/** A copy of the accounts waits at a row in their middle, as long as the subscriber's session has the lock. */
async function stopCopiesInTheMiddle({ subscriber, size }: Stage): Promise<void> {
  await subscriber.execute(`
select pg_advisory_lock(1);
create function wait_in_copy() returns trigger language plpgsql as $$ begin
  perform pg_advisory_xact_lock(1);
  return new;
end $$;
create trigger wait_in_copy before insert on accounts for each row when (new.aid = ${size.accounts / 2})
  execute function wait_in_copy();
alter table accounts enable always trigger wait_in_copy`);
}

async function inSync({ subscriber }: Stage, story: readonly string[]): Promise<void> {
  let states: unknown;
  await waitFor(
    "all tables to be ok",
    async () => {
      const rows = await subscriber.run<{ table_name: string; merge_state: string | null }>(
        "select table_name, merge_state from londiste.get_table_list('bank_queue') where local",
      );
      states = rows;
      return rows.length === tables.length && rows.every((row) => row.merge_state === "ok");
    },
    { timeoutMs: 240_000, onTimeout: () => `${JSON.stringify(states)}\n${story.join("")}` },
  );
}

async function killAndStart(stage: Stage, daemon: Daemon): Promise<void> {
  await killDaemon(stage, daemon);
  await stage.daemons.start(daemon);
}

function killDaemon({ directory }: Stage, daemon: Daemon): Promise<unknown> {
  const pid = Number.parseInt(readFileSync(join(directory, `${daemon.files}.pid`), "utf8"), 10);
  return kill(pid);
}

/** One that has just ended by itself is fine. */
async function kill(pid: number): Promise<unknown> {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (isAlive(pid)) throw error;
  }
  return waitFor(`the end of process ${pid}`, () => !isAlive(pid));
}

/** Waits until the table's rows are being copied, and kills what copies them. */
async function killCopyOf(
  stage: Stage,
  table: string,
  before: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const pid = await waitFor(
    `rows of ${table} to be copied`,
    async () => {
      const [row] = await stage.subscriber.run<{ bytes_copied: string }>(
        "select bytes_copied from londiste.get_copy_progress('bank_queue') where table_name = $1 and merge_state = 'in-copy'",
        [table],
      );
      return row !== undefined && Number(row.bytes_copied) > 0 && copyProcess(stage, table);
    },
    { timeoutMs: 180_000 },
  );
  await before();
  await kill(pid);
}

/** The process that copies a table. The pidfile of one that was killed stays until the next one writes its own. */
function copyProcess({ directory, leaf }: Stage, table: string): number | undefined {
  const pid = Number.parseInt(readOrEmpty(join(directory, `${leaf.worker.files}.pid.copy.${table}`)), 10);
  return isAlive(pid) ? pid : undefined;
}

/** A zombie does not count. */
function isAlive(pid: number): boolean {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat !== "" && stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
