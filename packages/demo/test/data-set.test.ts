import assert from "node:assert/strict";
import { test } from "node:test";
import { startCluster, waitFor } from "@skytools/testbed";
import { randomAwkwardChange } from "#src/awkward-table.js";
import { createTables, dataSize, loadRows } from "#src/data-set.js";
import { Random } from "#src/random.js";
import { Session } from "#src/session.js";
import { digestTables, findDifferences } from "#src/verification.js";
import { Writers } from "#src/writers.js";

test("writers change every table; the verification sees each difference", async () => {
  await using cluster = await startCluster({ settings: { log_statement: "none" } });
  const size = dataSize(2000);
  for (const name of ["here", "there"]) await cluster.createDatabase(name);
  await using here = await Session.open(cluster, "here", "test");
  await using there = await Session.open(cluster, "there", "test");
  for (const db of [here, there]) {
    await createTables(db);
    await loadRows(db, size, 1);
  }
  assert.deepEqual(await findDifferences(here, there), []);

  const before = await digestTables(here);
  const writers = await Writers.start(cluster, "here", size, 3, 7);
  await waitFor("300 transactions", () => writers.transactionCount >= 300);
  await writers.stop();
  const window = writers.takeWindow();
  assert.equal(window.transactions, writers.transactionCount);
  assert.ok(window.longestMs > 0);
  const after = await digestTables(here);
  const isChanged = after.map((digest, index) => digest.digest !== before[index]?.digest);
  assert.deepEqual(isChanged, [true, true, true, true, true]);
  // Rows differ, and the sequence of the unchanged node is behind.
  assert.equal((await findDifferences(here, there)).length, 6);
});

test("random changes of the awkward table fit its types, and leave rows of every kind", async () => {
  await using cluster = await startCluster();
  await using db = await Session.open(cluster, "postgres", "test");
  await createTables(db);
  const random = new Random(42);
  for (let n = 0; n < 3000; n += 1) {
    const { sql, parameters } = randomAwkwardChange(random, 50);
    await db.run(sql, parameters);
  }
  const [row] = await db.run<{ moved: string; empty: string; nulls: string }>(
    `select count(*) filter (where "select" < 0) as moved,
            count(*) filter (where "Upper Case" = '') as empty,
            count(*) filter (where "Upper Case" is null) as nulls
     from public."Odd ""Table's"""`,
  );
  assert.ok(
    Object.values(row ?? {}).every((count) => Number(count) > 0),
    JSON.stringify(row),
  );
});
