import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { quoteFqIdent, quoteIdent } from "@skytools/skytools";
import { RandomSource, waitFor } from "@skytools/testbed";
import { type NodeName, queueName, Replication } from "../fixture/replication.js";
import { Disturbances } from "./disturbances.js";
import { hostileTables, ledgerTable } from "./hostile-tables.js";
import { RandomWriter } from "./random-writer.js";

/** LONDISTE_SEED gives another schedule, as far as timing allows the same one each time; LONDISTE_MINUTES is how long it disturbs. */
const seed = Number(process.env.LONDISTE_SEED ?? 1);
const minutes = Number(process.env.LONDISTE_MINUTES ?? 0.2);
const writerCount = 3;

const tables = [ledgerTable, ...hostileTables];
const random = new RandomSource(seed);
const history: string[] = [];
let stage: Replication;
let disturbances: Disturbances;

before(async () => {
  stage = await Replication.startNodes(tables.map((table) => `${table.create};`).join("\n"));
  disturbances = new Disturbances(stage, random);
  for (const { onLeaf } of tables) if (onLeaf !== undefined) await stage.run("leaf", onLeaf);
  // An application that does not wait for its commits, and event tables that rotate all the time.
  for (const name of ["root", "leaf"] as const) {
    await stage.run(name, "alter database shop set synchronous_commit = off");
  }
  await stage.run("root", `select pgq.set_queue_config('${queueName}', 'rotation_period', '2 seconds')`);
  await stage.londiste("root", "add-table", ...tables.map(({ name }) => name));
  await stage.londiste("leaf", "add-table", ledgerTable.name, "--wait-sync");
  await stage.londiste("leaf", "add-table", ...hostileTables.map(({ name }) => name));
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

test(`nothing is lost, doubled or changed, whatever dies and whenever (LONDISTE_SEED=${seed} LONDISTE_MINUTES=${minutes})`, async (t) => {
  const writers = Array.from({ length: writerCount }, (_, nr) => new RandomWriter(stage, seed, nr + 1));
  const deadline = performance.now() + minutes * 60_000;
  try {
    while (performance.now() < deadline) {
      if ((stage.log("leaf").match(/(crashed|cannot go on): \[ev_id/g)?.length ?? 0) > 4)
        throw new Error("an event cannot be applied");
      await disturbances.next((text) => history.push(`${new Date().toISOString()} ${text}`));
      await moreTransactions(writers, random.int(0, 50));
    }
    for (const writer of writers) await writer.stop();
    t.diagnostic(`${committedBy(writers)} transactions, ${history.length} disturbances`);
    for (const [message, sql] of writers.flatMap((writer) => [...writer.failures]))
      t.diagnostic(`${message} <- ${sql.slice(0, 90)}`);
    await stage.waitUntilReplicated(300_000);
    for (const { name } of tables) await assertSameRows(name);
    await assertSequence();
    const result = await stage.londiste("leaf", "compare");
    assert.doesNotMatch(result.stdout, /DIFFERENT/);
    assert.equal(result.stdout.match(/identical/g)?.length, tables.length, result.stdout + result.stderr);
  } catch (error) {
    for (const writer of writers) await writer.stop().catch(() => {});
    const log = stage
      .log("leaf")
      .split("\n")
      .filter((line) => /ERROR|WARN|row by row/.test(line))
      .slice(-40)
      .join("\n");
    throw new Error(`${history.slice(-40).join("\n")}\n${log}\n${String(error)}`, { cause: error });
  }
});

function committedBy(writers: readonly RandomWriter[]): number {
  return writers.reduce((sum, writer) => sum + writer.committed, 0);
}

async function moreTransactions(writers: readonly RandomWriter[], count: number): Promise<void> {
  const wanted = committedBy(writers) + count;
  await waitFor(`${count} transactions`, () => committedBy(writers) >= wanted, { timeoutMs: 180_000 });
}

async function assertSameRows(table: string): Promise<void> {
  const [{ columns } = { columns: [] }] = await stage.query<{ columns: string[] }>(
    "root",
    "select array_agg(attname::text order by attname) as columns from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped",
    [quoteFqIdent(disturbances.localName("root", table))],
  );
  const lines = async (node: NodeName) => {
    const name = quoteFqIdent(disturbances.localName(node, table));
    const rows = await stage.query<{ line: string }>(
      node,
      `select row(${columns.map((column) => quoteIdent(column)).join(", ")})::text as line from ${name} order by 1`,
    );
    return rows.map((row) => row.line);
  };
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

/** Were the leaf the root now, it would not hand out a key that is taken. */
async function assertSequence(): Promise<void> {
  const rows = await stage.query(
    "leaf",
    "select from public.counted, public.counted_id_seq where id > last_value",
  );
  assert.equal(rows.length, 0, "the sequence is behind the table");
}
